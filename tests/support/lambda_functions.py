"""A ring of tables in moto, and its functions: called as Lambda calls them, one batch at a time."""

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import boto3
import pytest
from moto import mock_aws

from handler import app, retry
from handler.aws.api import BotocoreApi, DynamoDBApi
from handler.aws.clients import make_client
from handler.model.image import Item, Key, application_attributes
from local.lambda_emulator.events import event_of, to_event_record
from local.lambda_emulator.stream_reader import StreamReader
from local.moto_patches.expressions.comparisons import comparisons_by_type
from tests.support.samples import in_base64
from tests.support.store_backends import hearing, make_table

REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-2")
IDS = ("aaaaaaaa", "bbbbbbbb", "cccccccc")
TABLE, TOMBSTONES, QUARANTINE = "orders", "orders-tombstones", "lost-and-found"
KEY: Key = {"k": {"S": "1"}}
NOTHING_FAILED: dict[str, list[dict[str, str]]] = {"batchItemFailures": []}


def environment(source: int, target: int) -> dict[str, str]:
    """Environment of the function of a hop between two members, as the stack sets it."""
    variables = {"RING_EXPIRY": "own", "RING_QUARANTINE": QUARANTINE, "RING_RETENTION_DAYS": "7"}
    variables |= {"RING_WRITES": "single", "RING_QUARANTINE_OWNER": "123456789012"}
    for end, member in (("SOURCE", source), ("TARGET", target)):
        variables[f"RING_{end}_REGION"] = REGIONS[member]
        variables[f"RING_{end}_TABLE"] = TABLE
        variables[f"RING_{end}_ID"] = IDS[member]
        variables[f"RING_{end}_TOMBSTONES"] = TOMBSTONES
    return variables


# Clients take longer to make than any test to run, so all rings have the same ones.
_functions_client = cache(make_client)
_client: Any = cache(boto3.client)


class Member:
    """One table of the ring, as an application and Lambda's poller see it."""

    def __init__(self, region: str) -> None:
        self.client: Any = _client("dynamodb", region_name=region)
        self._streams = _client("dynamodbstreams", region_name=region)
        self._make_table("NEW_AND_OLD_IMAGES")
        make_table(self.client, TOMBSTONES, KEY)

    def _make_table(self, view: str) -> None:
        stream = {"StreamEnabled": True, "StreamViewType": view}
        make_table(self.client, TABLE, KEY, StreamSpecification=stream)
        arn = self.client.describe_table(TableName=TABLE)["Table"]["LatestStreamArn"]
        self._begin = partial(StreamReader, self._streams, arn, "TRIM_HORIZON")
        self._stream = self._begin()

    def change_view(self, view: str) -> None:
        """Give the table a stream of another view type. (moto switches none on again.)"""
        items = self.client.scan(TableName=TABLE)["Items"]
        self.client.delete_table(TableName=TABLE)
        self._make_table(view)
        for item in items:
            self.put(item)
        self.new_records()

    def put(self, item: Item) -> None:
        self.client.put_item(TableName=TABLE, Item=item)

    def items(self) -> list[dict[str, Any]]:
        """The items as an application reads them, without the ring's attributes."""
        return [application_attributes(item) for item in self.client.scan(TableName=TABLE)["Items"]]

    def new_records(self) -> list[Any]:
        """The records that no function has been given yet, as Lambda hands them over."""
        return [to_event_record(in_base64(one), self._stream.arn) for one in self._stream.read()]

    def start_over(self) -> None:
        """Let all records be new again, as where a mapping begins at TRIM_HORIZON."""
        self._stream = self._begin()


class Left:
    """Lambda's context, with a clock of the test's own: it goes on by a tick at every look."""

    def __init__(self, seconds: float = 60.0, tick: float = 0.0) -> None:
        self.seconds = seconds
        self._tick = tick

    def get_remaining_time_in_millis(self) -> int:
        left = self.seconds
        self.seconds = max(0.0, left - self._tick)
        return int(left * 1000)


async def _do_not_wait(_: float) -> None:
    """Take the time between two tries for gone."""


@dataclass
class Calls:
    """The calls of the functions' own clients."""

    writes: list[str] = field(default_factory=list)
    """The region of each put into and delete from a member's table."""
    trouble: dict[str, Exception] = field(default_factory=dict)
    """What a put of an item with that key raises."""

    def record(self, region: str, params: dict[str, Any], model: Any, **_: Any) -> None:
        key = params.get("Item", params.get("Key", {})).get("k", {}).get("S", "")
        if model.name == "PutItem" and key in self.trouble:
            raise self.trouble[key]
        if model.name in {"PutItem", "DeleteItem"} and params["TableName"] == TABLE:
            self.writes.append(region)


class Ring:
    """A ring of three, whose hops run when a test says so."""

    def __init__(self, environ: pytest.MonkeyPatch, calls: Calls) -> None:
        self.members = [Member(region) for region in REGIONS]
        self.calls = calls
        self.s3: Any = _client("s3", region_name=REGIONS[0])
        self.s3.create_bucket(Bucket=QUARANTINE)
        self._environ = environ
        self.environment: Callable[[int, int], Mapping[str, str]] = environment
        """Environment of each hop's function, by the places of its ends."""
        self._variables: Mapping[str, str] = {}

    def hop(self, source: int) -> dict[str, list[dict[str, str]]]:
        """Call the function of the hop from that member with all that is new in its stream."""
        self.become(source)
        return self.handle(event_of(self.members[source].new_records()))

    def handle(self, event: Any, left: Left | None = None) -> dict[str, list[dict[str, str]]]:
        """Call the function that this process is."""
        return app.handle(event, left or Left())

    def become(self, source: int) -> None:
        """Turn this process into the function of the hop from that member."""
        app._runtime.cache_clear()
        for name in self._variables:  # what a test has set besides stays
            self._environ.delenv(name)
        self._variables = self.environment(source, (source + 1) % len(self.members))
        for name, value in self._variables.items():
            self._environ.setenv(name, value)

    def go_round(self) -> None:
        """Let every hop work until no stream has anything new."""
        for source in (0, 1, 2) * 3:
            assert self.hop(source) == NOTHING_FAILED

    def equal(self) -> list[dict[str, Any]]:
        """What all members hold, which must be the same, in the order of the keys."""
        first, *others = (
            sorted(member.items(), key=lambda one: str(one["k"]["S"])) for member in self.members
        )
        assert all(other == first for other in others)
        return first

    def keys(self, member: int) -> list[str]:
        """The keys that a member holds, in their order."""
        return sorted(one["k"]["S"] for one in self.members[member].items())

    def quarantined(self) -> list[Any]:
        listed = self.s3.list_objects_v2(Bucket=QUARANTINE).get("Contents", [])
        bodies = [self.s3.get_object(Bucket=QUARANTINE, Key=one["Key"])["Body"] for one in listed]
        return [json.loads(body.read()) for body in bodies]


def logged(capsys: pytest.CaptureFixture[str], event: str) -> list[dict[str, Any]]:
    """The log lines of that event since the last look."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in lines if line["event"] == event]


@contextmanager
def ring_of_three() -> Iterator[Ring]:
    calls = Calls()
    with (
        ExitStack() as cleared,
        mock_aws(),
        comparisons_by_type(),
        pytest.MonkeyPatch.context() as patch,
    ):

        @cache
        def once(service: Any, region: str, role: str | None) -> Any:
            client = _functions_client(service, region, role)
            event = "provide-client-params.dynamodb"
            cleared.enter_context(hearing(client, event, partial(calls.record, region)))
            return client

        def recorded(service: Any, region: str, role: str | None = None) -> Any:
            return once(service, region, role)

        # moto does not know the addresses that belong to an account.
        patch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled")

        def called(region: str, pool: Executor, role: str | None = None, *_: str) -> DynamoDBApi:
            return BotocoreApi(recorded("dynamodb", region, role), pool)

        patch.setattr(app, "make_client", recorded)
        # In this process moto answers to botocore's clients alone.
        patch.setattr(app, "make_api", called)
        patch.setattr(retry, "sleep", _do_not_wait)
        cleared.callback(app._runtime.cache_clear)
        yield Ring(patch, calls)
