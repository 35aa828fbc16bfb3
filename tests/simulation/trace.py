"""Trace of a run for a person to read: one line for each store call."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from handler.model.image import DELETED, VERSION, Item, Key, Write
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
from tests.simulation.member import Member, SimulatedStore

T = TypeVar("T")

START = 1_700_000_000
"""When a run begins: its trace counts seconds from here."""


class TracedStore(Store):
    """A simulated Store that says what each call did, and for whom."""

    def __init__(self, store: SimulatedStore, caller: Member, say: Callable[[str], None]) -> None:
        self._store = store
        self._say = say
        self._who = f"    hop {caller.name}:"
        self._where = f"in {store.member.name}"

    async def read(self, key: Key) -> Item | None:
        return await self._trace(self._store.read(key), f"reads {_name(key)}", format_item)

    async def put(self, key: Key, item: Item, condition: Condition) -> Written | ConditionFailed:
        what = f"puts {format_item(item)} if {_format_condition(condition)}"
        return await self._trace(self._store.put(key, item, condition), what, _format_outcome)

    async def delete_stub(self, key: Key, version: Version) -> Written | ConditionFailed:
        what = f"removes the stub {format_version(version)} of {_name(key)}"
        return await self._trace(self._store.delete_stub(key, version), what, _format_removed)

    async def delete_if_older(self, key: Key, version: Version) -> Written | ConditionFailed:
        what = f"deletes {_name(key)} if older than {format_version(version)}"
        return await self._trace(self._store.delete_if_older(key, version), what, _format_outcome)

    async def get_tombstone(self, key: Key) -> Write | None:
        what = f"reads the tombstone of {_name(key)}"
        return await self._trace(self._store.get_tombstone(key), what, _format_write)

    async def put_tombstone(self, key: Key, delete: Write) -> Write | None:
        what = f"records the tombstone {_format_write(delete)}"
        return await self._trace(self._store.put_tombstone(key, delete), what, _format_kept)

    async def _trace(self, call: Awaitable[T], what: str, how: Callable[[T], str]) -> T:
        try:
            answer = await call
        except Exception as error:
            self._say(f"{self._who} {what} {self._where}: {error}")
            raise
        self._say(f"{self._who} {what} {self._where}: {how(answer)}")
        return answer


def format_item(item: Item | None) -> str:
    """An item in a few letters: its key, its content, its version."""
    if item is None:
        return "nothing"
    content = "stub" if DELETED in item else item.get("v", {}).get("N", "-")
    stamp = item.get(VERSION)
    version = "" if stamp is None else f" at {format_version(Version(stamp['B']))}"
    return f"{_name(item)}={content}{version}"


def format_version(version: Version) -> str:
    """A version in a few letters: seconds.counter/member#sequence."""
    replica, sequence = int(version.replica, 16), version.sequence
    return f"{version.seconds - START}.{version.counter}/{replica}#{sequence}"


def _name(key: Key) -> str:
    return str(key["k"]["S"])


def _format_condition(condition: Condition) -> str:
    match condition:
        case IfOlder(version, or_absent):
            return f"{'absent or ' if or_absent else ''}older than {format_version(version)}"
        case IfVersionOlder(version):
            return f"it has a version older than {format_version(version)}"
        case IfUnchanged(item):
            return f"still {format_item(item)}"


def _format_outcome(outcome: Written | ConditionFailed) -> str:
    if isinstance(outcome, Written):
        return f"done, over {format_item(outcome.replaced)}"
    return f"refused, there is {format_item(outcome.item)}"


def _format_removed(outcome: Written | ConditionFailed) -> str:
    return "done" if isinstance(outcome, Written) else _format_outcome(outcome)


def _format_write(write: Write | None) -> str:
    return "none" if write is None else format_version(write.version)


def _format_kept(kept: Write | None) -> str:
    return "done" if kept is None else f"refused, there is {_format_write(kept)}"
