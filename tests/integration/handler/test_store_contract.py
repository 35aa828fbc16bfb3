"""The contract of a Store: what a hop relies on, whichever implementation it is given."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handler.model.image import DELETED, VERSION, Image, Item, Write, replicated_write
from handler.model.version import Version
from handler.store.dynamodb import (
    Condition,
    ConditionFailed,
    IfOlder,
    IfUnchanged,
    IfVersionOlder,
    Store,
    Written,
)
from tests.support.store_backends import KEY, Bench
from tests.support.stream_records import stamped


def item(value: str) -> dict[str, Any]:
    return {**KEY, "v": {"S": value}}


def delete(seconds: int) -> Write:
    """A delete made at that time, as a hop sends it."""
    write = replicated_write(Image({**stamped(KEY, seconds), DELETED: {"BOOL": True}}))
    assert write is not None
    return write


OURS = stamped(item("ours"), 500)
VERSION_OF_OURS = Version(OURS[VERSION]["B"])

STANDING: dict[str, Item | None] = {
    "absent": None,
    "unversioned": item("by an application"),
    "older": stamped(item("older"), 400),
    "edited": stamped(item("older"), 400) | item("edited since"),
    "equal": OURS,
    "newer": stamped(item("newer"), 600),
    "older stub": delete(400).item,
    "newer stub": delete(600).item,
    "made up": item("forged") | {VERSION: {"B": b"\xff" * 30}},
    "made up, a text": item("forged") | {VERSION: {"S": "0"}},
    "made up, no bytes": item("forged") | {VERSION: {"NULL": True}},
}
CONDITIONS: dict[str, tuple[Condition, set[str]]] = {
    "older, or absent": (
        IfOlder(VERSION_OF_OURS),
        {"absent", "unversioned", "older", "edited", "older stub"},
    ),
    "older, and there": (
        IfOlder(VERSION_OF_OURS, or_absent=False),
        {"unversioned", "older", "edited", "older stub"},
    ),
    "older, and with a version": (
        IfVersionOlder(VERSION_OF_OURS),
        {"older", "edited", "older stub"},
    ),
    "still absent": (IfUnchanged(None), {"absent"}),
    "still the older item": (IfUnchanged(STANDING["older"]), {"older", "edited"}),
    "still the newer item": (IfUnchanged(STANDING["newer"]), {"newer"}),
    "still the newer stub": (IfUnchanged(STANDING["newer stub"]), {"newer stub"}),
    "still the made-up version": (IfUnchanged(STANDING["made up"]), {"made up"}),
}


@pytest.mark.parametrize("standing", STANDING)
@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_put_replaces_what_its_condition_allows_and_returns_what_stood_there(
    bench: Bench, condition: str, standing: str
) -> None:
    there = STANDING[standing]
    if there is not None:
        bench.lay(there)
    wanted, allowed = CONDITIONS[condition]
    outcome = bench.run(bench.store.put(KEY, OURS, wanted))
    assert outcome == (Written(there) if standing in allowed else ConditionFailed(there))
    assert bench.lying() == (OURS if standing in allowed else there)


NO_BYTES = [{"N": "5"}, {"S": "0"}, {"NULL": True}, {"M": {"a": {"S": "b"}}}, {"SS": ["a"]}]


@pytest.mark.parametrize("made_up", NO_BYTES, ids=str)
def test_a_version_that_is_not_binary_can_be_replaced_while_it_still_is_the_same(
    bench: Bench, made_up: dict[str, Any]
) -> None:
    forged = item("forged") | {VERSION: made_up}
    bench.lay(forged)
    assert bench.run(bench.store.put(KEY, OURS, IfUnchanged(forged))) == Written(forged)
    assert bench.run(bench.store.put(KEY, OURS, IfUnchanged(forged))) == ConditionFailed(OURS)


@pytest.mark.parametrize("made_up", NO_BYTES, ids=str)
def test_a_version_that_is_not_binary_is_not_older(bench: Bench, made_up: dict[str, Any]) -> None:
    forged = item("forged") | {VERSION: made_up}
    bench.lay(forged)
    assert bench.run(bench.store.put(KEY, OURS, IfOlder(VERSION_OF_OURS))) == ConditionFailed(
        forged
    )
    assert bench.run(
        bench.store.put(KEY, OURS, IfVersionOlder(VERSION_OF_OURS))
    ) == ConditionFailed(forged)
    assert bench.run(bench.store.delete_if_older(KEY, VERSION_OF_OURS)) == ConditionFailed(forged)


@pytest.mark.parametrize("standing", ["absent", "unversioned"])
def test_no_version_is_not_the_same_as_one_that_is_null(bench: Bench, standing: str) -> None:
    there = STANDING[standing]
    if there is not None:
        bench.lay(there)
    forged = STANDING["made up, no bytes"]
    assert bench.run(bench.store.put(KEY, OURS, IfUnchanged(forged))) == ConditionFailed(there)


@pytest.mark.parametrize(
    ("lower", "higher"),
    [
        ((1, 0, "000000ff", 7), (256, 0, "00000000", 7)),
        ((1, 0, "7fffffff", 7), (1, 0, "80000000", 7)),
        ((1, 0, "00000000", 255), (1, 0, "00000000", 256)),
        ((1, 0, "00000000", 9 * 10**20), (1, 0, "00000000", 10**39)),
        # Their base64 texts are in the other order, and so they are as signed bytes.
        # As base64 texts, and as signed bytes, these are in the other order.
        ((0, 0x68, "00000000", 7), (0, 0xD0, "00000000", 7)),
        ((1, 0, "00006800", 7), (1, 0, "0000d000", 7)),
    ],
    ids=str,
)
def test_versions_are_compared_by_unsigned_bytes(
    bench: Bench, lower: tuple[int, int, str, int], higher: tuple[int, int, str, int]
) -> None:
    below, above = (
        item("any") | {VERSION: {"B": Version.make(*parts, "0" * 16)}} for parts in (lower, higher)
    )
    for standing, written, succeeds in ((below, above, True), (above, below, False)):
        bench.lay(standing)
        wanted = IfVersionOlder(Version(written[VERSION]["B"]))
        outcome = bench.run(bench.store.put(KEY, written, wanted))
        assert outcome == (Written(standing) if succeeds else ConditionFailed(standing))


def test_a_put_takes_the_whole_place_of_what_was_there(bench: Bench) -> None:
    bench.lay({**KEY, "more": {"S": "to be gone"}})
    bench.run(bench.store.put(KEY, OURS, IfOlder(VERSION_OF_OURS)))
    assert bench.lying() == OURS


def test_nothing_is_read_where_nothing_stands(bench: Bench) -> None:
    assert bench.run(bench.store.read(KEY)) is None


def test_a_put_is_read_at_once(bench: Bench) -> None:
    bench.run(bench.store.put(KEY, OURS, IfUnchanged(None)))
    assert bench.run(bench.store.read(KEY)) == OURS


@pytest.mark.parametrize(
    ("standing", "stays"),
    [
        (None, False),
        (delete(500).item, False),
        (delete(400).item, True),
        (delete(600).item, True),
        (item("by an application"), True),
        (stamped(item("older"), 400), True),
        # An item that has the stub's version, but lost the mark: an application wrote it since.
        ({**item("again"), VERSION: {"B": delete(500).version}}, True),
    ],
)
def test_only_the_stub_of_that_delete_is_taken_away(
    bench: Bench, standing: Item | None, stays: bool
) -> None:
    if standing is not None:
        bench.lay(standing)
    outcome = bench.run(bench.store.delete_stub(KEY, delete(500).version))
    assert outcome == (Written(None) if standing and not stays else ConditionFailed(standing))
    assert bench.lying() == (standing if stays else None)


@pytest.mark.parametrize("standing", STANDING)
def test_a_plain_delete_spares_what_is_not_older_and_returns_what_stood_there(
    bench: Bench, standing: str
) -> None:
    there = STANDING[standing]
    if there is not None:
        bench.lay(there)
    outcome = bench.run(bench.store.delete_if_older(KEY, VERSION_OF_OURS))
    gone = standing in {"absent", "unversioned", "older", "edited", "older stub"}
    assert outcome == (Written(there) if gone else ConditionFailed(there))
    assert bench.lying() == (None if gone else there)


def test_a_key_that_was_never_deleted_has_no_tombstone(bench: Bench) -> None:
    assert bench.run(bench.store.get_tombstone(KEY)) is None


def test_a_tombstone_is_the_delete_that_was_buried(bench: Bench) -> None:
    bench.run(bench.store.put_tombstone(KEY, delete(500)))
    assert bench.run(bench.store.get_tombstone(KEY)) == delete(500)


@pytest.mark.parametrize(
    ("earlier", "later", "answer"),
    [(400, 500, None), (500, 400, delete(500)), (500, 500, delete(500))],
)
def test_the_newest_tombstone_stays_and_answers_for_what_is_not_newer(
    bench: Bench, earlier: int, later: int, answer: Write | None
) -> None:
    assert bench.run(bench.store.put_tombstone(KEY, delete(earlier))) is None
    assert bench.run(bench.store.put_tombstone(KEY, delete(later))) == answer
    assert bench.run(bench.store.get_tombstone(KEY)) == delete(500)


def test_a_tombstone_leaves_the_item_alone_and_belongs_to_its_key_alone(bench: Bench) -> None:
    bench.lay(OURS)
    bench.run(bench.store.put_tombstone(KEY, delete(600)))
    assert bench.lying() == OURS
    assert bench.run(bench.store.get_tombstone({"k": {"S": "2"}})) is None


THROTTLED = ["ProvisionedThroughputExceededException", "ThrottlingException"]
CALLS: dict[str, Callable[[Store], Any]] = {
    "read": lambda store: store.read(KEY),
    "put": lambda store: store.put(KEY, OURS, IfOlder(VERSION_OF_OURS)),
    "delete_stub": lambda store: store.delete_stub(KEY, delete(400).version),
    "delete_if_older": lambda store: store.delete_if_older(KEY, VERSION_OF_OURS),
    "tombstone": lambda store: store.get_tombstone(KEY),
    "bury": lambda store: store.put_tombstone(KEY, delete(600)),
}


@pytest.mark.parametrize("code", THROTTLED)
@pytest.mark.parametrize("call", CALLS)
def test_a_call_that_is_throttled_raises_and_changes_nothing(
    bench: Bench, call: str, code: str
) -> None:
    bench.lay(delete(400).item)
    bench.run(bench.store.put_tombstone(KEY, delete(500)))
    with bench.refusing(code), pytest.raises(ClientError, match=code):
        bench.run(CALLS[call](bench.store))
    assert bench.lying() == delete(400).item
    assert bench.run(bench.store.get_tombstone(KEY)) == delete(500)


def test_what_was_throttled_can_be_done_again(bench: Bench) -> None:
    with bench.refusing(THROTTLED[0]), pytest.raises(ClientError):
        bench.run(bench.store.put(KEY, OURS, IfUnchanged(None)))
    assert bench.run(bench.store.put(KEY, OURS, IfUnchanged(None))) == Written(None)
