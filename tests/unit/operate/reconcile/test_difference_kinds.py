"""Classification of differences by versions and digests."""

from __future__ import annotations

from typing import Any

import pytest

from handler.model.image import DELETED, VERSION, digest
from handler.model.version import Version
from operate.reconcile.difference_kinds import DifferenceKind, KeyFingerprints, classify_difference
from operate.reconcile.fingerprints import fingerprint

NOTHING = KeyFingerprints()


def content(value: str) -> dict[str, Any]:
    return {"k": {"S": "1"}, "v": {"S": value}}


def at_origin(value: str) -> KeyFingerprints:
    return KeyFingerprints(fingerprint(content(value)))


def stamped(value: str, seconds: int = 1) -> dict[str, Any]:
    version = Version.make(seconds, 0, "aaaaaaaa", 1, digest(content(value)))
    return {**content(value), VERSION: {"B": version}}


def copy(value: str, seconds: int = 1) -> KeyFingerprints:
    return KeyFingerprints(fingerprint(stamped(value, seconds)))


def edited(value: str, before: str) -> KeyFingerprints:
    """A copy after UpdateItem: its version is kept, its content differs."""
    return KeyFingerprints(fingerprint({**stamped(before), "v": {"S": value}}))


def stub(seconds: int) -> str:
    key = {"k": {"S": "1"}}
    version = Version.make(seconds, 0, "aaaaaaaa", 1, digest(key))
    return fingerprint({**key, VERSION: {"B": version}, DELETED: {"BOOL": True}})


def deleted(seconds: int, item: KeyFingerprints = NOTHING) -> KeyFingerprints:
    return item._replace(tombstone=stub(seconds))


CASES: dict[str, tuple[list[KeyFingerprints], DifferenceKind | None]] = {
    "nothing anywhere": ([NOTHING, NOTHING], None),
    "an origin and its copies": ([at_origin("a"), copy("a"), copy("a")], None),
    "copies of one write": ([copy("a"), copy("a")], None),
    "the same, never sent": ([at_origin("a"), at_origin("a")], None),
    "a deleted key": ([deleted(2), deleted(2)], None),
    "a tombstone that expired at one": ([deleted(2), NOTHING], None),
    "written again after a delete": ([deleted(2, copy("a", 3)), deleted(2, copy("a", 3))], None),
    "missing at one": ([copy("a"), NOTHING, copy("a")], DifferenceKind.MISSING),
    "missing at all but the origin": ([at_origin("a"), NOTHING], DifferenceKind.MISSING),
    "older at one": ([copy("a", 2), copy("b", 1)], DifferenceKind.STALE),
    "the same content of an older write": ([copy("a", 2), copy("a", 1)], DifferenceKind.STALE),
    "an older copy of the same, put back at the origin": ([copy("a", 1), copy("a", 2)], None),
    "two without a version": ([at_origin("a"), at_origin("b")], DifferenceKind.DIFFERENT),
    "another than the copies have": (
        [at_origin("a"), copy("b"), copy("b")],
        DifferenceKind.DIFFERENT,
    ),
    "a copy that was edited": ([edited("b", "a"), copy("a")], DifferenceKind.DIFFERENT),
    "a stub": ([KeyFingerprints(stub(2)), deleted(2)], DifferenceKind.STUB),
    "a stub at all": ([KeyFingerprints(stub(2)), KeyFingerprints(stub(2))], DifferenceKind.STUB),
    "one left behind by a delete": ([copy("a", 1), deleted(2)], DifferenceKind.OUTLIVED),
    "all left behind": (
        [deleted(2, copy("a", 1)), deleted(2, copy("a", 1))],
        DifferenceKind.OUTLIVED,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_difference_is_classified_by_the_members_states(case: str) -> None:
    held, kind = CASES[case]
    replicas = ["aaaaaaaa", "bbbbbbbb", "cccccccc"][: len(held)]
    assert classify_difference(held, replicas) == kind
    assert classify_difference(held[::-1], replicas[::-1]) == kind


FORGOTTEN: dict[str, tuple[list[KeyFingerprints], DifferenceKind | None]] = {
    "a deleted key": ([deleted(2), deleted(2)], None),
    "no tombstone at one": ([deleted(2), NOTHING], DifferenceKind.FORGOTTEN),
    "an older one at one": ([deleted(2), deleted(1)], DifferenceKind.FORGOTTEN),
    "one older than the retention": ([deleted(0), NOTHING], None),
    "written again after a delete": ([deleted(2, copy("a", 3)), copy("a", 3)], None),
    "missing at one, and never deleted": ([copy("a"), NOTHING], DifferenceKind.MISSING),
    "one left behind by a delete": ([copy("a", 1), deleted(2)], DifferenceKind.OUTLIVED),
}


@pytest.mark.parametrize("case", FORGOTTEN)
def test_with_since_every_member_needs_the_tombstone_of_a_delete(case: str) -> None:
    held, kind = FORGOTTEN[case]
    assert classify_difference(held, ["aaaaaaaa", "bbbbbbbb"], since=1) == kind
    assert classify_difference(held[::-1], ["bbbbbbbb", "aaaaaaaa"], since=1) == kind
