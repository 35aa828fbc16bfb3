"""Rings of which every call is recorded: a stack's own program and handler over moto.

The handler runs in this process, hop by hop, with the environment that the stack gives its
function; the documents are those that the stack puts into its roles.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from handler import app
from handler.model.image import DELETED
from local.clients import Accounts
from local.cloud.cloud import Cloud
from local.cloud.existing_tables import make_existing_tables, provider_arguments
from local.cloud.program import Deployment, run_program
from local.cloud.state import Resource
from local.cloud.writer_secrets import create_writer_secrets
from local.endpoint.server import LocalServer
from local.lambda_emulator.events import event_of, to_event_record
from local.lambda_emulator.stream_reader import StreamReader
from local.ring import PROGRAM
from local.stack_config import StackConfig
from ring.arn import partition_of, table_arn
from ring.resources import heartbeat
from ring.settings.members import Member, members_of
from ring.settings.settings import Settings
from tests.permissions.being import being
from tests.permissions.calls import Ear, listening
from tests.permissions.judge import Call, Law, Policy, read_policy, read_trust
from tests.permissions.part import Part
from tests.permissions.services import Served, in_the_callers_name, lambdas, states
from tests.support.stream_records import record, stamped

_FUTURE = 9_000_000_000
"""Later than any write here, in seconds since the epoch: it wins every conflict."""
_PAST = 1_000_000_000
_CONTEXT: Any = SimpleNamespace(get_remaining_time_in_millis=lambda: 60_000)


@dataclass(frozen=True)
class Trial:
    """What a ring may do and what it does: documents as plain JSON too, by whose they are."""

    law: Law
    calls: frozenset[Call]
    documents: Mapping[str, Mapping[str, Any]]
    served: tuple[Served, ...]


def tried(stack: StackConfig) -> Trial:
    """Deploy a stack, drive every path of each hop's handler, and return what was called."""
    settings = Settings.parse(stack.settings)
    with LocalServer() as server, Accounts(server.endpoint) as accounts, listening() as ear:
        cloud = Cloud(accounts)
        streams = make_existing_tables(settings, cloud)
        deployment = run_program(PROGRAM, stack, cloud, streams)
        create_writer_secrets(settings, deployment, cloud)
        ear.whose.update(_keys_of_users(deployment))
        adopted = {here: there for there, here in streams.items()}
        served: list[Served] = []
        for hop in _hops(deployment, settings, cloud):
            served.append(hop.served(adopted))
            with hop.running(server.endpoint, ear):
                hop.drive()
        mapped = []
        if deployment.outputs.get("distributed"):
            part = Part(deployment, settings, cloud)
            part.drive(server.endpoint, ear)
            mapped.append(part.served())
    recorded = [
        *ear.calls(),
        *(call for one in served for call in lambdas(one)),
        *(call for one in mapped for call in states(one)),
    ]
    keys = dict(_keys(settings, deployment))
    calls = frozenset([*recorded, *in_the_callers_name(recorded, keys)])
    law, documents = _law(deployment)
    return Trial(law, calls, documents, tuple(served))


class Hop:
    """One hop: its function's handler in this process, between two tables of moto's."""

    def __init__(self, function: Resource, mapping: Resource, log_group: str, ends: Any) -> None:
        self._function = function
        self._mapping = mapping
        self._log_group = log_group
        self._keys, self._source, self._target = ends
        place = function.location
        streams = place.clients.records(place.region)
        stream = mapping.outputs["eventSourceArn"]
        self._stream = StreamReader(streams, stream, "TRIM_HORIZON")

    def served(self, adopted: Mapping[str, str]) -> Served:
        """What Lambda is given. An adopted stream has the ARN that the settings give it."""
        outputs = self._mapping.outputs
        stream = outputs["eventSourceArn"]
        destination = outputs.get("destinationConfig")  # Lambda has none in some partitions
        return Served(
            function=self._function.outputs["arn"],
            role=self._function.outputs["role"],
            stream=adopted.get(stream, stream),
            log_group=self._log_group,
            quarantine=destination and destination["onFailure"]["destinationArn"],
            mapping=outputs["uuid"],
        )

    @contextmanager
    def running(self, endpoint: str, ear: Ear) -> Iterator[None]:
        """Let this process be the function, and record what it calls."""
        self._ear = ear
        with being(self._function, endpoint, ear), pytest.MonkeyPatch.context() as patch:
            # The ear hears botocore's clients.
            patch.setenv("RING_HTTP", "boto3")
            app._runtime.cache_clear()
            try:
                yield
            finally:
                app._runtime.cache_clear()

    def drive(self) -> None:
        """Go down every path that ends in another call, in both modes of writing."""
        for mode in ("batched", "single"):
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("RING_WRITES", mode)
                app._runtime.cache_clear()
                self._drive(mode)
        # Nothing can be made of its item: it is quarantined.
        poison = record(7, NewImage={"k": {"S": "1"}, "v": {"S": 5}})
        self._deliver([{**poison, "eventSourceARN": self._stream.arn}])
        with self._ear.opened():
            app.handle(heartbeat.HEARTBEAT_EVENT, _CONTEXT)

    def _drive(self, mode: str) -> None:
        plain, late = f"plain, {mode}", f"late, {mode}"
        self._write(plain, 1)
        self._write(plain, 2)
        self._remove(plain)
        # What a hop copies here meets something newer at the target, which is copied here then.
        self._arrive(f"newer, {mode}", {"n": {"N": "0"}})
        # It meets a stub that was left standing, which is taken away there.
        self._arrive(f"deleted, {mode}", {DELETED: {"BOOL": True}})
        # An older delete takes what was written here: its stub is taken away, and the item created.
        self._write(late, 1)
        self._lay(self._source, late, {DELETED: {"BOOL": True}}, _PAST)
        self._deliver_new()

    def _write(self, key: str, number: int) -> None:
        client, table = self._source
        item = {**self._key(key), "n": {"N": str(number)}}
        client.put_item(TableName=table, Item=item)
        self._deliver_new()

    def _remove(self, key: str) -> None:
        client, table = self._source
        client.delete_item(TableName=table, Key=self._key(key))
        self._deliver_new()

    def _arrive(self, key: str, newer: Mapping[str, Any]) -> None:
        """Bring an item here and a newer one to the target, as hops from elsewhere would."""
        self._lay(self._target, key, newer, _FUTURE)
        self._lay(self._source, key, {"n": {"N": "1"}}, _FUTURE - 1)
        self._deliver_new()

    def _lay(self, end: tuple[Any, str], key: str, more: Mapping[str, Any], seconds: int) -> None:
        client, table = end
        item = stamped({**self._key(key), **more}, seconds)
        client.put_item(TableName=table, Item=item)

    def _key(self, text: str) -> dict[str, Any]:
        return {name: {"S": f"{text} of {self._function.name}"} for name in self._keys}

    def _deliver_new(self) -> None:
        arn = self._stream.arn
        self._deliver([to_event_record(one, arn) for one in self._stream.read()])

    def _deliver(self, records: Sequence[Any]) -> None:
        with self._ear.opened():
            assert app.handle(event_of(records), _CONTEXT) == {"batchItemFailures": []}


def _hops(deployment: Deployment, settings: Settings, cloud: Cloud) -> Iterator[Hop]:
    functions = {one.outputs["arn"]: one for one in deployment.of("aws:lambda/function:Function")}
    mappings = {
        one.id: one for one in deployment.of("aws:lambda/eventSourceMapping:EventSourceMapping")
    }
    groups = {
        (one.location.account, one.location.region, one.id): one.outputs["arn"]
        for one in deployment.of("aws:cloudwatch/logGroup:LogGroup")
    }
    members = {one.name: one for one in members_of(settings)}
    table = settings.table
    keys = [table.partition_key.name, *([table.sort_key.name] if table.sort_key else [])]
    for hop in deployment.outputs["hops"]:
        function, mapping = functions[hop["function"]], mappings[hop["mapping"]]
        group = function.outputs["loggingConfig"]["logGroup"]
        place = function.location
        yield Hop(
            function,
            mapping,
            groups[place.account, place.region, group],
            (keys, *(_table(members[hop[end]], cloud) for end in ("source", "target"))),
        )


def _table(member: Member, cloud: Cloud) -> tuple[Any, str]:
    """A client for a member's table, as an application has one, and the table's name."""
    place = cloud.location(provider_arguments(member))
    return place.clients.dynamodb(member.region), member.table


def _keys_of_users(deployment: Deployment) -> Iterator[tuple[str, str]]:
    """The access keys of the stack's users, each with its user's ARN."""
    for user in deployment.of("aws:iam/user:User"):
        client = user.location.clients.iam(user.location.region)
        for key in client.list_access_keys(UserName=user.id)["AccessKeyMetadata"]:
            yield key["AccessKeyId"], user.outputs["arn"]


def _law(deployment: Deployment) -> tuple[Law, dict[str, Any]]:
    """All documents that the stack declares, taken apart and as they are."""
    roles, users = deployment.of("aws:iam/role:Role"), deployment.of("aws:iam/user:User")
    owners = {(_partition(one), one.id): one.outputs["arn"] for one in (*roles, *users)}
    policies: dict[str, tuple[Policy, ...]] = {}
    documents: dict[str, Any] = {}
    for one in (
        *deployment.of("aws:iam/rolePolicy:RolePolicy"),
        *deployment.of("aws:iam/userPolicy:UserPolicy"),
    ):
        arn = owners[_partition(one), one.outputs.get("role") or one.outputs["user"]]
        documents[f"{arn} {one.name}"] = document = json.loads(one.outputs["policy"])
        policies[arn] = (*policies.get(arn, ()), read_policy(document))
    trusts: dict[str, Policy] = {}
    for role in roles:
        arn, document = role.outputs["arn"], json.loads(role.outputs["assumeRolePolicy"])
        documents[f"{arn} trust"] = document
        trusts[arn] = read_trust(document)
    return Law(policies, trusts), documents


def _partition(one: Resource) -> tuple[str, str]:
    """What IAM's names are apart in: an account of a partition."""
    return one.location.account, partition_of(one.location.region)


def _keys(settings: Settings, deployment: Deployment) -> Iterator[tuple[str, str]]:
    """The ARN of each encrypted table, bucket and secret, and that of its key."""
    accounts = {
        member["name"]: member["table_arn"].split(":")[4]
        for member in deployment.outputs["members"]
    }
    for member in members_of(settings):
        if member.writer_secret and member.writer_secret.kms_key:
            yield member.writer_secret.arn, member.writer_secret.kms_key
        if member.kms_key:
            for table in (member.table, member.tombstones):
                partition, account = partition_of(member.region), accounts[member.name]
                yield table_arn(partition, member.region, account, table), member.kms_key
    for one in deployment.of(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    ):
        (rule,) = one.outputs["rules"]
        key = rule["applyServerSideEncryptionByDefault"]["kmsMasterKeyId"]
        yield f"arn:{partition_of(one.location.region)}:s3:::{one.outputs['bucket']}", key
