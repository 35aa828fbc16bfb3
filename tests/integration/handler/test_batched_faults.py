"""Faults that befall requests for many keys: real ones, to dynoxide."""

import asyncio
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from random import Random
from typing import Any

import pytest

from handler.aws.api import BotocoreApi
from handler.batch import BatchContext, BatchReport, replicate_batch
from handler.errors import is_transient
from handler.model.image import Key, application_attributes
from handler.protocol.hop import Hop
from handler.retry import RetryBudget, RetryingStore
from handler.store.batching import BatchingStore
from handler.store.dynamodb import MemberTables
from local.data.item_size import LIMIT, item_size
from tests.support.fakes import ListQuarantine
from tests.support.pair import HERE, THERE
from tests.support.store_backends import (
    DynamoBench,
    answering,
    hearing,
    make_table,
    over_dynoxide,
)
from tests.support.stream_records import record


class KilledError(BaseException):
    """The process ends here."""


@pytest.fixture(scope="module")
def bench() -> Iterator[DynamoBench]:
    """The target; the source's tables are beside its own."""
    with over_dynoxide(make=BatchingStore) as one:
        names = ("source", "source-tombstones")
        for name in names:
            make_table(one.client, name, {"k": {"S": "1"}})
        yield one
        for name in names:
            one.client.delete_table(TableName=name)


def work(
    bench: DynamoBench, records: list[Any], quarantine: ListQuarantine | None = None
) -> BatchReport:
    """Let a hop work on a batch, with all the time in the world and no pauses."""

    async def do() -> BatchReport:
        async def go_on(_: float) -> None:
            pass

        patience = RetryBudget(
            lambda: 60.0, is_transient, reserve_seconds=9.0, max_concurrency=32, pause=go_on
        )
        with ThreadPoolExecutor(4) as pool:
            source, target = (
                BatchingStore(
                    BotocoreApi(bench.client, pool),
                    MemberTables(table, f"{table}-tombstones", 86_400),
                    gate=patience.limit,
                )
                for table in ("source", "orders")
            )
            ends = (RetryingStore(source, patience), RetryingStore(target, patience))
            hop = Hop(HERE, THERE, *ends, uses_tombstones=True, replicates_expiry=False)
            return await replicate_batch(records, BatchContext(hop, quarantine or ListQuarantine()))

    return asyncio.run(do())


def life(*names: str) -> list[Any]:
    """The records of items that are inserted, edited, deleted and put again."""
    records: list[Any] = []
    for name in names:
        key: Key = {"k": {"S": name}}
        a, b, c = ({**key, "v": {"S": value}} for value in "abc")
        for old, new in ((None, a), (a, b), (b, None), (None, c)):
            records.append(record(len(records) + 1, name, OldImage=old, NewImage=new))
    return records


def held(bench: DynamoBench, names: Iterable[str]) -> dict[str, str]:
    """What an application sees at the target: of each of the keys, the item's value."""
    found = {name: bench.read("orders", {"k": {"S": name}}) for name in names}
    return {name: application_attributes(one)["v"]["S"] for name, one in found.items() if one}


@pytest.mark.parametrize(
    "moment", [pytest.param("before-call", marks=pytest.mark.long), "after-call"]
)
def test_a_function_that_dies_at_any_of_its_requests_leaves_nothing_undone(
    bench: DynamoBench, moment: str
) -> None:
    done: list[str] = []
    for nth in count(1):
        names = [f"{moment} {nth} {place}" for place in range(3)]
        done += names
        calls = count(1)

        def kill(nth: int = nth, calls: Iterator[int] = calls, **_: Any) -> None:
            if next(calls) == nth:
                raise KilledError

        try:
            with hearing(bench.client, f"{moment}.dynamodb", kill):
                assert work(bench, life(*names)).unprocessed == []
            break
        except KilledError:
            assert work(bench, life(*names)).unprocessed == []
    assert nth > 5
    assert held(bench, done) == dict.fromkeys(done, "c")


def test_where_nine_of_ten_are_throttled_whole_requests_or_parts_of_them_all_arrive(
    bench: DynamoBench,
) -> None:
    draws = Random(0)
    names = [f"throttled {place}" for place in range(30)]

    def requests(**_: Any) -> Any:
        return answering("ThrottlingException") if draws.random() < 0.5 else None

    def statements(parsed: dict[str, Any], **_: Any) -> None:
        """Say of a statement that it was throttled; it was done, and is asked for again."""
        for one in parsed.get("Responses", ()):
            if isinstance(one, dict) and draws.random() < 0.8:
                one["Error"] = {"Code": "ThrottlingError", "Message": "no"}

    with (
        hearing(bench.client, "before-call.dynamodb", requests),
        hearing(bench.client, "after-call.dynamodb.BatchExecuteStatement", statements),
    ):
        report = work(bench, life(*names))
    assert (report.unprocessed, report.quarantined) == ([], [])
    assert held(bench, names) == dict.fromkeys(names, "c")


def test_an_item_that_just_fits_into_400_kb_travels_and_one_byte_more_is_quarantined(
    bench: DynamoBench,
) -> None:
    work(bench, [record(1, "size")])
    spare = LIMIT - item_size(bench.read("orders", {"k": {"S": "size"}}) or {})
    quarantine = ListQuarantine()
    for number, more in enumerate((spare, spare + 1), 2):
        text = "written by 1" + "x" * more
        large = record(number, "size", NewImage={"k": {"S": "size"}, "v": {"S": text}})
        assert work(bench, [large, record(9, "beside")], quarantine).unprocessed == []
        assert [kept.record for kept in quarantine.kept] == [large] * (number - 2)
    assert len(held(bench, ["size"])["size"]) == len("written by 1") + spare
    assert held(bench, ["beside"]) == {"beside": "written by 9"}
    assert [kept.reason for kept in quarantine.kept] == ["too large"]
