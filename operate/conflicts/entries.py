"""Merge the log lines of all hops into one entry for each write that lost. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handler.model.attribute_values import canonical_text
from handler.model.image import Key
from handler.model.version import OPERATOR_REPLICA_ID, Version
from operate.conflicts.log_line import ConflictLine, Side


@dataclass(frozen=True)
class Margin:
    """By how much the winner's version is higher.

    `decided_by` is the first part of the versions that differs: the time in `seconds`, the
    `counter` within a second, or the `member`, which breaks a tie; or `repair`: one of items that
    had no versions, whose own is lower than all others and has no time.
    """

    seconds: int
    decided_by: str


@dataclass(frozen=True)
class ConflictEntry:
    """A write that lost, and the newest of those that it lost to.

    Several hops may have seen it, and one of them again when a record was delivered again. `since`
    is when the first of them logged it, in seconds since the epoch; `hops` are their names.
    """

    id: str
    key: Key
    since: float
    hops: Sequence[str]
    won: Side
    lost: Side

    @property
    def margin(self) -> Margin:
        """By how much the winner won."""
        won, lost = self.won.version, self.lost.version
        if not lost.seconds:
            return Margin(0, "repair")
        seconds = won.seconds - lost.seconds
        if seconds:
            return Margin(seconds, "seconds")
        return Margin(0, "counter" if won.counter != lost.counter else "member")

    @property
    def is_alike(self) -> bool:
        """Whether both writes left the same, so that nothing was lost."""
        return self.won.version.digest == self.lost.version.digest and (
            self.won.is_delete == self.lost.is_delete
        )


def conflict_id(key: Key, lost: Version) -> str:
    """Return the ID of a conflict: the same whichever hop saw it, and whatever won in the end."""
    text = f"{canonical_text(key)} {lost.replica} {lost.sequence}"
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def merge_lines(lines: Iterable[ConflictLine]) -> list[ConflictEntry]:
    """Return one entry for each write that lost, the latest first.

    A write that was made with the same content by both is left out: nothing was lost.
    """
    groups: dict[str, list[ConflictLine]] = {}
    for line in lines:
        groups.setdefault(conflict_id(line.key, line.lost.version), []).append(line)
    entries = (_entry(name, group) for name, group in groups.items())
    found = [entry for entry in entries if not entry.is_alike]
    return sorted(found, key=lambda entry: (-entry.since, entry.id))


def _entry(name: str, lines: Sequence[ConflictLine]) -> ConflictEntry:
    by_time = sorted(lines, key=lambda line: line.time)
    newest = max(line.won.version for line in lines)
    return ConflictEntry(
        name,
        by_time[0].key,
        by_time[0].time,
        tuple(dict.fromkeys(line.hop for line in by_time)),
        _fullest(line.won for line in lines if line.won.version == newest),
        _fullest(line.lost for line in lines),
    )


def _fullest(sides: Iterable[Side]) -> Side:
    """Return the side of which the log has most: a setting may have been changed meanwhile."""
    return max(sides, key=lambda side: (side.is_whole, side.item is not None, side.version))


def side_document(side: Side, members: Mapping[str, str]) -> dict[str, Any]:
    """Return a side as a JSON document; `members` are the members' names by replica ID."""
    cut = side.cut
    return {
        "member": member_of(side, members),
        "origin": side.origin,
        "version": str(side.version),
        "written": side.version.seconds,
        "deleted": side.is_delete,
        "item": side.item,
        "cut": None if cut is None else {**vars(cut)},
    }


def member_of(side: Side, members: Mapping[str, str]) -> str:
    """Return the name of the member where a write was made, or what is known of it."""
    if side.version.replica == OPERATOR_REPLICA_ID:
        return "a repair"
    return members.get(side.version.replica) or side.origin or side.version.replica
