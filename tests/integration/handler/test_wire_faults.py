"""A hop over HTTP whose requests fail in all forms: no record disappears."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from random import Random
from typing import Any, Self

from handler.aws.connection_pool import ConnectionPool, Endpoint
from handler.aws.http_client import CredentialCache, HttpApi
from handler.aws.sigv4 import SigV4Signer
from handler.batch import BatchContext, BatchReport, replicate_batch, sequence_number
from handler.errors import is_transient
from handler.model.attribute_values import decode_binary
from handler.model.image import VERSION
from handler.model.version import Version
from handler.protocol.decide import ReplicaId
from handler.protocol.hop import Hop
from handler.quarantine import QuarantinedRecord
from handler.retry import RetryBudget, RetryingQuarantine, RetryingStore
from handler.store.batching import BatchingStore
from handler.store.dynamodb import MemberTables, Store
from tests.support.http_calls import KEYS
from tests.support.pool_requests import PATIENT
from tests.support.stream_records import record
from tests.support.wire_dynamodb import FORMS, WireDynamoDB

TABLES = MemberTables("orders", "tombstones", 60)
MEMBERS = (
    ReplicaId("aaaaaaaa", "us-east-1", "orders"),
    ReplicaId("bbbbbbbb", "eu-west-1", "orders"),
)


class Bucket:
    """A quarantine that is out for a part of the time, by its hop's fault or for the moment."""

    def __init__(self, seed: int) -> None:
        self.failing = 0.3
        self._draws = Random(seed)
        self.kept: set[int] = set()
        """Sequence numbers."""

    async def put(self, quarantined: QuarantinedRecord) -> None:
        await asyncio.sleep(0)
        if self._draws.random() < self.failing:
            raise self._draws.choice([ConnectionResetError(), KeyError("no such bucket")])
        self.kept.add(int(sequence_number(quarantined.record)))


@dataclass
class Lives:
    """Records of some keys' lives, mixed, and what is at the source after them."""

    records: list[dict[str, Any]]
    items: dict[str, dict[str, Any]]
    readable: dict[str, int]
    """The number of each key's last record that is readable."""

    @classmethod
    def drawn(cls, seed: int) -> Self:
        draws, lives = Random(seed), cls([], {}, {})
        for number in range(1, 41):
            key = f"{draws.randrange(12)}"
            old = lives.items.pop(key, None)
            kind = draws.choice(["edit", "edit", "delete", "unreadable"]) if old else "insert"
            new = {"k": {"S": key}, "v": {"S": f"written by {number}"}}
            if kind != "delete":
                lives.items[key] = new
            image = {"delete": None, "unreadable": {**new, "v": {"S": 5}}}.get(kind, new)
            if kind != "unreadable":
                lives.readable[key] = number
            lives.records.append(record(number, key, OldImage=old, NewImage=image))
        return lives

    def numbers(self) -> Iterator[tuple[int, str]]:
        """Yield the number and the key of each record."""
        for one in self.records:
            yield int(sequence_number(one)), one["dynamodb"]["Keys"]["k"]["S"]


class Wire:
    """A hop, its bucket and the servers of its two ends."""

    def __init__(self, seed: int, items: dict[str, dict[str, Any]]) -> None:
        self.source, self.target = WireDynamoDB(seed), WireDynamoDB(seed)
        self.source.tables["orders"] |= items
        self.bucket = Bucket(seed)

    def fail(self, share: float) -> None:
        """Let this share of all that is asked fail."""
        for one in (self.source, self.target, self.bucket):
            one.failing = share

    async def replicate(self, records: list[dict[str, Any]]) -> BatchReport:
        """Work on a batch, for so many looks at the clock."""
        left = iter(range(400, 0, -1))
        budget = RetryBudget(
            lambda: next(left, 0),
            is_transient,
            reserve_seconds=9,
            max_concurrency=8,
            pause=lambda _: asyncio.sleep(0),
        )
        async with AsyncExitStack() as ends:
            pool = ends.enter_context(ThreadPoolExecutor(1))
            stores: list[Store] = []
            for one in (self.source, self.target):
                server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
                ends.callback(server.close)
                store = BatchingStore(api(server, pool), TABLES, gate=budget.limit)
                stores.append(RetryingStore(store, budget))
            source, target = stores
            hop = Hop(*MEMBERS, source, target, uses_tombstones=True, replicates_expiry=False)
            context = BatchContext(hop, RetryingQuarantine(self.bucket, budget))
            return await replicate_batch(records, context)

    def reached(self) -> Counter[str]:
        """The number of the last write or delete of each key that is at the target."""
        last: Counter[str] = Counter()
        for table in self.target.tables.values():
            for key, item in table.items():
                version = Version.parse(decode_binary(item[VERSION]["B"]))
                assert version is not None
                last[key] = max(last[key], version.sequence)
        return last


def api(server: asyncio.Server, pool: ThreadPoolExecutor) -> HttpApi:
    port = server.sockets[0].getsockname()[1]
    connections = ConnectionPool(Endpoint("here", "127.0.0.1", port, None), PATIENT, PATIENT)
    return HttpApi(connections, SigV4Signer("here", "eu-west-1"), CredentialCache(KEYS, pool))


def test_whatever_becomes_of_requests_each_record_is_applied_quarantined_or_given_back() -> None:
    forms: Counter[str] = Counter()
    for seed in range(8):
        lives = Lives.drawn(seed)
        wire = Wire(seed, lives.items)
        wire.fail(0.3)
        report = asyncio.run(wire.replicate(lives.records))
        forms += wire.target.forms
        reached, back = wire.reached(), {int(number) for number in report.unprocessed}
        for number, key in lives.numbers():
            is_kept = number in back or number in wire.bucket.kept
            assert is_kept or reached[key] >= number, f"seed {seed}, record {number}"
        wire.fail(0)  # Lambda delivers all again from the first that was given back
        again = lives.records[min(back, default=len(lives.records) + 1) - 1 :]
        assert asyncio.run(wire.replicate(again)).unprocessed == []
        assert wire.reached() == lives.readable, f"seed {seed}"
        assert wire.source.tables["orders"] == lives.items
    assert forms.keys() == FORMS.keys()
