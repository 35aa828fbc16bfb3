"""Comparing each member with the next one finds every difference."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import pytest

from handler.model.version import Version
from operate.reconcile.compare_page import matches
from operate.reconcile.difference_kinds import KeyFingerprints, classify_difference

IDS = ("0000000a", "0000000b", "0000000c", "0000000d")
CONTENTS = ("1" * 16, "2" * 16)


def mark(content: str, seconds: int = 0, origin: str | None = None) -> str:
    """Return the fingerprint of an item, with a version if it has an origin."""
    return content if origin is None else str(Version.make(seconds, 0, origin, 0, content))


MARKS = (
    None,
    mark(CONTENTS[0]) + "/stub",
    *(
        mark(content, seconds, origin)
        for content in CONTENTS
        for seconds, origin in ((0, None), (1, IDS[0]), (2, IDS[1]), (3, IDS[0]))
    ),
)


def is_calm(marks: Sequence[str | None]) -> bool:
    """Return whether no member has a suspect among these fingerprints of one key."""
    places = range(len(marks))
    return all(
        matches((first, marks[after]), (IDS[place], IDS[after]))
        for place, after in ((place, (place + 1) % len(marks)) for place in places)
        if (first := marks[place]) is not None
    )


@pytest.mark.parametrize("members", [2, 3, 4])
def test_members_that_differ_differ_from_their_neighbours(members: int) -> None:
    """For every combination of states of a key."""
    missed = [
        marks
        for marks in product(MARKS, repeat=members)
        if classify_difference([KeyFingerprints(item) for item in marks], IDS[:members]) is not None
        and is_calm(marks)
    ]
    assert missed == []


@pytest.mark.parametrize("members", [2, 3, 4])
@pytest.mark.parametrize("at_origin", [mark(CONTENTS[0]), mark(CONTENTS[0], 1, IDS[1])])
def test_a_ring_in_sync_has_no_suspects(members: int, at_origin: str) -> None:
    written = mark(CONTENTS[0], 2, IDS[1])
    assert is_calm([written] * members)
    assert is_calm([at_origin if place == 1 else written for place in range(members)])
    assert is_calm([mark(CONTENTS[0])] * members)
