"""Yield to what is newer, and find the writes that lost to others, neither based on the other.

A write that a member refuses has lost to what that member has. Others are refused nowhere:

- At the last member of its lap it replaced an application's newer write, before a hop had read
  that. The hop that copies the newer write back there sees both.
- It slipped in behind a delete, and is deleted beside the tombstone.

A hop reports what it finds each time a record is delivered, and several hops may find a write
lost: in all reports of one, ``lost`` has the same replica and sequence number.
"""

from collections.abc import Iterable

from handler.model.image import Key, Write
from handler.model.records import Change
from handler.protocol.apply import Comparison, Superseded, read_and_clear
from handler.protocol.decide import KeyState
from handler.protocol.hop import Action, Conflict, Hop, Outcome, is_earlier_local_write

Conflicts = tuple[Conflict, ...]


async def yield_to_newer(change: Change, hop: Hop, won: Superseded, lost: Write) -> Outcome:
    """Leave what the next member has that is newer, and clear both members of what is not."""
    deleted = await _clear_ends(change, hop, lost)
    return Outcome(Action.REFUSED, each_once((*conflicts_of(change.key, won, lost), *deleted)))


async def _clear_ends(change: Change, hop: Hop, lost: Write) -> Conflicts:
    """Delete what a tombstone supersedes at either member; return the conflicts of that."""
    at_source = conflicts_with_delete(
        change.key, await read_and_clear(hop.source, change.key, lost)
    )
    at_target = await read_and_clear(hop.target, change.key)
    return (*at_source, *conflicts_with_delete(change.key, at_target))


def conflicts_of(key: Key, won: Superseded | Write, *losers: Write) -> Conflicts:
    """Return the conflicts of older writes with a newer one; none with one of the same member."""
    return tuple(
        Conflict(key, won.version, lost.version, won.item, lost.item)
        for lost in losers
        if lost.version < won.version and lost.version.replica != won.version.replica
    )


def conflicts_with_delete(key: Key, *states: KeyState | None) -> Conflicts:
    """Return the conflicts of the items that are deleted, as tombstones beside them are newer."""
    return tuple(
        conflict
        for state in states
        if state is not None and state.superseded is not None
        for conflict in conflicts_of(key, state.write, state.superseded)
    )


def conflicts_with_own_write(
    change: Change, hop: Hop, arrived: Write, found: Comparison
) -> Conflicts:
    """Return the conflicts that the comparison of both members shows, after an arrival.

    What replaced the source's own newer write has lost to it: the arrival, and what stood there
    when the newer one was restored.
    """
    deleted = conflicts_with_delete(change.key, found.source, found.target)
    if found.target is None or not is_earlier_local_write(found.target.write.version, change, hop):
        return deleted
    replaced = found.source.write if found.source is not None and found.restored else arrived
    return (*conflicts_of(change.key, found.target.write, arrived, replaced), *deleted)


def each_once(conflicts: Iterable[Conflict]) -> Conflicts:
    """Return one conflict for each write that lost: with the newest of the winners."""
    ordered = sorted(conflicts, key=lambda conflict: conflict.won or b"")
    return tuple({conflict.lost: conflict for conflict in ordered}.values())
