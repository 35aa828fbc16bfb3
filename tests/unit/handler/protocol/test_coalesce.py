"""Changes of one key in a row: what goes to the next member of them, and what of each is kept."""

from __future__ import annotations

from typing import Any

from handler.batch import BatchContext, BatchReport, replicate_batch
from handler.heartbeat import HEARTBEAT_ATTRIBUTE
from handler.model.image import VERSION, application_attributes
from handler.store.dynamodb import ItemTooLargeError
from tests.support.fakes import ListQuarantine
from tests.support.pair import Pair, item, run, seen, version_at
from tests.support.stream_records import stamped

KEY = {"k": {"S": "1"}}


async def _in_turn(keys: Any) -> None:
    for key in keys:
        await key


def work(pair: Pair, records: list[Any], quarantine: ListQuarantine | None = None) -> BatchReport:
    kept = quarantine or ListQuarantine()
    return run(replicate_batch(records, BatchContext(pair.hop, kept), _in_turn))


def written(pair: Pair, *values: str | None) -> list[Any]:
    """Write these one after the other at the source; the records of it."""
    before = len(pair.here.stream)
    for value in values:
        pair.here.write(KEY, None if value is None else item(value))
    return pair.here.stream[before:]


def test_of_writes_in_a_row_the_last_alone_is_sent() -> None:
    pair = Pair()
    report = work(pair, written(pair, "a", "b", "c"))
    assert seen(pair.there) == item("c")
    assert pair.there.writes == 1
    assert report.counts == {"replicated": 1, "ignored": 2}


def test_it_is_sent_as_the_last_and_after_all_that_the_first_followed() -> None:
    pair = Pair()
    work(pair, written(pair, "a"))
    known = version_at(pair.there)
    pair.here.write(KEY, pair.there.items["1"])  # a copy, as a hop would return it
    pair.now -= 500  # and a clock that is set back
    records = written(pair, "b", "c")
    work(pair, records)
    assert version_at(pair.there) > known
    assert version_at(pair.there).sequence == int(records[-1]["dynamodb"]["SequenceNumber"])


def test_a_version_that_a_write_in_between_stored_and_the_last_replaced_is_not_forgotten() -> None:
    """An application copies an item with its version from elsewhere, edits it, and puts another.

    What stands there afterwards was written in knowledge of that version, and so must be above it.
    """
    pair = Pair()
    newer = stamped(item("from elsewhere"), pair.now + 500)
    pair.there.write(KEY, newer)
    pair.here.write(KEY, item("a"))
    pair.here.write(KEY, {**newer, **item("edited")})
    pair.here.write(KEY, item("b"))
    work(pair, pair.here.stream)
    assert seen(pair.there) == item("b")
    assert version_at(pair.there) > newer[VERSION]["B"]


def test_beats_in_a_row_are_measured_as_a_beat() -> None:
    pair, key = Pair(), {"k": {"S": "_repl_heartbeat-aaaaaaaa"}}
    for second in ("900.5", "960.5"):
        pair.here.write(key, {**key, HEARTBEAT_ATTRIBUTE: {"N": second}})
    records = pair.here.stream
    report = run(
        replicate_batch(
            records, BatchContext(pair.hop, ListQuarantine(), now=lambda: 970.75), _in_turn
        )
    )
    assert (report.heartbeat_lags, report.lags) == ([10.25], [])


def test_a_delete_in_between_is_not_left_out() -> None:
    pair = Pair()
    report = work(pair, written(pair, "a", "b", None, "c", "d"))
    assert report.counts == {"replicated": 2, "deletes": 1, "ignored": 2}
    assert seen(pair.there) == item("d")
    assert "1" in pair.there.tombstones


def test_what_a_hop_replicated_is_not_left_out() -> None:
    elsewhere, pair = Pair(), Pair()
    work(elsewhere, written(elsewhere, "copy"))
    arrived = elsewhere.there.items["1"]
    first = written(pair, "a")
    pair.here.write(KEY, arrived)
    records = [*first, pair.here.stream[-1], *written(pair, "b")]
    assert work(pair, records).counts["ignored"] == 0


def test_writes_between_which_one_is_missing_are_not_taken_together() -> None:
    pair = Pair()
    first, _, last = written(pair, "a", "b", "c")
    assert work(pair, [first, last]).counts == {"replicated": 2}


def test_a_write_that_is_undone_in_the_same_batch_is_sent_all_the_same() -> None:
    pair = Pair()
    work(pair, written(pair, "a"))
    report = work(pair, written(pair, "b", "a"))
    assert report.counts == {"replicated": 2}
    assert seen(pair.there) == item("a")


def test_where_the_last_is_refused_those_before_it_are_sent_and_it_alone_is_quarantined() -> None:
    pair, quarantine = Pair(), ListQuarantine()
    put = pair.hop.target.put

    async def refuse_c(key: Any, one: Any, condition: Any) -> Any:
        if application_attributes(one).get("v") == {"S": "c"}:
            raise ItemTooLargeError("too large")
        return await put(key, one, condition)

    pair.hop.target.put = refuse_c  # type: ignore[assignment,method-assign]
    records = written(pair, "a", "b", "c")
    report = work(pair, records, quarantine)
    assert [lost.record for lost in quarantine.kept] == [records[-1]]
    assert seen(pair.there) == item("b")
    assert report.unprocessed == []


def test_a_run_that_fails_for_the_moment_is_given_back_from_its_first_record() -> None:
    pair = Pair()
    put = pair.hop.target.put

    async def throttled(*_: Any) -> Any:
        pair.hop.target.put = put  # type: ignore[method-assign]
        raise ConnectionError

    pair.hop.target.put = throttled  # type: ignore[assignment,method-assign]
    assert work(pair, written(pair, "a", "b", None)).unprocessed == ["1", "2", "3"]
    assert pair.there.stream == []


def test_records_that_were_sent_as_one_change_nothing_when_each_comes_again_alone() -> None:
    pair = Pair()
    records = written(pair, "a", "b", "c")
    work(pair, records)
    there = pair.there.items["1"]
    for one in records:
        work(pair, [one])
    assert pair.there.items["1"] == there
    assert VERSION not in pair.here.items["1"]
