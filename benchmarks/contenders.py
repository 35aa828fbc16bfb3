"""Contenders that replicate a batch to the next member: the handler, and common alternatives."""

from __future__ import annotations

import io
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stdout, suppress
from typing import Any
from unittest.mock import patch

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from benchmarks.records import Record
from handler import app

_THREADS = 32
_REGIONS = ("us-east-1", "eu-west-1")


class Contender(ABC):
    """Replicates batches to a member's table."""

    @abstractmethod
    def replicate(self, records: Sequence[Record]) -> None:
        """Replicate the records of a batch."""


class _Context:
    """Lambda's context, with 15 minutes left."""

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


class Handler(Contender):
    """The handler as Lambda invokes it, with tombstones."""

    def replicate(self, records: Sequence[Record]) -> None:
        """Replicate the records. Raises `RuntimeError` if some were not."""
        with redirect_stdout(io.StringIO()) as variables:
            answer = app.handle({"Records": records}, _Context())
        if answer["batchItemFailures"]:
            raise RuntimeError(f"the handler gave records back: {variables.getvalue()[:2000]}")


class OneByOne(Contender):
    """Conditional puts and deletes, one after the other, with boto3's defaults."""

    def __init__(self, **config: Any) -> None:
        self._client: Any = boto3.client(
            "dynamodb", region_name=_REGIONS[1], config=Config(**config)
        )

    def replicate(self, records: Sequence[Record]) -> None:
        """Replicate the records."""
        for record in records:
            self._write(record["dynamodb"])

    def _write(self, change: Mapping[str, Any]) -> None:
        time = f"{change['ApproximateCreationDateTime']:010d}-{change['SequenceNumber']}"
        newer: dict[str, Any] = {
            "TableName": "orders",
            "ConditionExpression": "attribute_not_exists(#time) OR #time < :time",
            "ExpressionAttributeNames": {"#time": "written"},
            "ExpressionAttributeValues": {":time": {"S": time}},
        }
        with suppress(self._client.exceptions.ConditionalCheckFailedException):
            if "NewImage" in change:
                self._client.put_item(Item={**change["NewImage"], "written": {"S": time}}, **newer)
            else:
                self._client.delete_item(Key=change["Keys"], **newer)


class Pool(OneByOne):
    """The same in threads, with the records of a key in order."""

    def __init__(self) -> None:
        super().__init__(max_pool_connections=_THREADS)
        self._pool = ThreadPoolExecutor(_THREADS)

    def replicate(self, records: Sequence[Record]) -> None:
        """Replicate the records."""
        keys: dict[str, list[Record]] = {}
        for record in records:
            keys.setdefault(str(record["dynamodb"]["Keys"]), []).append(record)
        list(self._pool.map(super().replicate, keys.values()))


class LastImages(Contender):
    """The last image of each key, 25 per request, in threads: unconditional, and so not safe."""

    def __init__(self) -> None:
        self._client: Any = boto3.client(
            "dynamodb", region_name=_REGIONS[1], config=Config(max_pool_connections=_THREADS)
        )
        self._pool = ThreadPoolExecutor(_THREADS)

    def replicate(self, records: Sequence[Record]) -> None:
        """Replicate the records."""
        last = {str(record["dynamodb"]["Keys"]): record["dynamodb"] for record in records}
        writes = [_last(change) for change in last.values()]
        parts = [writes[begin : begin + 25] for begin in range(0, len(writes), 25)]
        list(self._pool.map(self._write, parts))

    def _write(self, writes: list[dict[str, Any]]) -> None:
        while writes:
            with suppress(ClientError):
                answer = self._client.batch_write_item(RequestItems={"orders": writes})
                writes = answer["UnprocessedItems"].get("orders", [])


def _last(change: Mapping[str, Any]) -> dict[str, Any]:
    if "NewImage" in change:
        return {"PutRequest": {"Item": change["NewImage"]}}
    return {"DeleteRequest": {"Key": change["Keys"]}}


@contextmanager
def contenders(endpoint: str) -> Iterator[list[Contender]]:
    """Yield all contenders for an endpoint, each with its own clients; (a) is the first."""
    with patch.dict(os.environ, environment(endpoint)):
        app._runtime.cache_clear()
        try:
            yield [OneByOne(), Pool(), LastImages(), Handler()]
        finally:
            app._runtime.cache_clear()


def environment(endpoint: str) -> dict[str, str]:
    """Return the environment of a hop's function, with an endpoint instead of AWS."""
    variables = {
        "RING_EXPIRY": "own",
        "RING_QUARANTINE": "lost",
        "RING_RETENTION_DAYS": "7",
        "RING_WRITES": "batched",
    }
    ends = (("SOURCE", _REGIONS[0], "aaaaaaaa"), ("TARGET", _REGIONS[1], "bbbbbbbb"))
    for end, region, identity in ends:
        variables |= {
            f"RING_{end}_REGION": region,
            f"RING_{end}_TABLE": "orders",
            f"RING_{end}_ID": identity,
            f"RING_{end}_TOMBSTONES": "orders-tombstones",
        }
    return variables | {
        "RING_RETENTION_DAYS": "7",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }
