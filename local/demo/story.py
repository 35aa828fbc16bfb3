"""What the demo is told with: writes that are shown, counted and compared."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handler.model.image import application_attributes
from local.compare import Item
from ring.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from local.hop import LocalHop
    from local.ring import LocalMember, LocalRing

_TIMEOUT = 180.0
_INDENT = "   "


@dataclass(frozen=True)
class Expected:
    """How a step is meant to end. Without ``content`` it may end either way, but equally."""

    key: Mapping[str, Any]
    content: Mapping[str, Any] | None = None
    because: str = ""
    writes: int | None = None
    conflicts: bool = False
    places: tuple[int, ...] | None = None
    """The members that hold it; None: all."""
    also: Mapping[str, Any] | None = None
    """The key of another item, which all members hold."""
    set_aside: tuple[Mapping[str, Any], ...] = ()
    """The keys of all that is in the quarantines."""
    right: str = "the members agree"
    wrong: tuple[str, ...] = ()
    """What was found wrong on the way."""


class Story:
    """Writes to a ring, step by step, and says what came of it."""

    def __init__(self, ring: LocalRing, console: Console) -> None:
        self.ring = ring
        self.members = list(ring.members.values())
        self._console = console
        self._written = 0

    def introduce(self) -> None:
        """Show the ring."""
        names = [member.region for member in self.members]
        arrows = " -> ".join([*names, names[0]])
        self._say(f"A ring of {len(names)} DynamoDB tables on this machine: {arrows}", style="bold")
        self._say(
            "The program is the one that `pulumi up` deploys, the handler the one that Lambda runs."
        )

    def begin(self, title: str) -> None:
        """Head what follows."""
        self._say(f"\n{title}", style="bold")

    def put(self, place: int, item: Item) -> None:
        """Put an item at a member."""
        member = self.members[place]
        self._tell(member, "PutItem", item)
        member.client.put_item(TableName=member.table, Item=item)

    def update(self, place: int, key: Item, attribute: str, value: Mapping[str, Any]) -> None:
        """Set one attribute of an item at a member."""
        member = self.members[place]
        self._tell(member, "UpdateItem", {**key, attribute: value})
        member.client.update_item(
            TableName=member.table,
            Key=key,
            UpdateExpression="SET #a = :v",
            ExpressionAttributeNames={"#a": attribute},
            ExpressionAttributeValues={":v": value},
        )

    def delete(self, place: int, key: Item) -> None:
        """Delete an item at a member."""
        member = self.members[place]
        self._tell(member, "DeleteItem", key)
        member.client.delete_item(TableName=member.table, Key=key)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Hold the hops back, so that what is written in here is written in the same moment."""
        self._say(f"{_INDENT}(the hops are held back for a moment)", style="dim")
        with self.ring.paused():
            yield

    def settle(self) -> None:
        """Wait until everything has arrived everywhere."""
        self.ring.wait_until_quiet(_TIMEOUT)

    def say(self, text: str) -> None:
        """Say something within a step."""
        self._say(f"{_INDENT}{text}")

    def wait_until(self, happened: Callable[[], bool], what: str) -> None:
        """Wait until something has happened. Raises `TimeoutError`."""
        end = time.monotonic() + _TIMEOUT
        while not happened():
            if time.monotonic() > end:
                raise TimeoutError(f"It did not happen within {_TIMEOUT:g} s that {what}.")
            time.sleep(0.01)

    def hop_from(self, place: int) -> LocalHop:
        """The hop that starts at a member."""
        (hop,) = self.ring.hops_from(self.members[place].name)
        return hop

    def show(self, keys: Mapping[int, Mapping[str, Any]]) -> list[Item | None]:
        """Say what members hold under a key, and return it."""
        copies = []
        for place, key in keys.items():
            member = self.members[place]
            copy = self._copy(member, key)
            self.say(f"{member.region:<16} {'has  ' + _shown(copy) if copy else 'has nothing'}")
            copies.append(copy)
        return copies

    def tell(self, title: str, step: Callable[[Story], Expected]) -> list[str]:
        """Tell one step, and return what did not end as it was meant to."""
        self._say(f"\n{title}", style="bold cyan")
        self._written = 0
        conflicts = self._conflicts()
        before, begun = self.ring.meter.read(), time.monotonic()
        told = step(self)
        self.settle()
        took, cost = time.monotonic() - begun, self.ring.meter.read() - before
        writes = cost.count() + cost.count(refused=True) - self._written
        self._say(
            f"{_INDENT}{took:.1f} s later, after {counted(writes, 'write')} by the hops:",
            style="dim",
        )
        everywhere = range(len(self.members))
        copies = self.show(dict.fromkeys(everywhere, told.key))
        others = self.show(dict.fromkeys(everywhere, told.also)) if told.also else []
        lost = self._set_aside()
        self.say(f"Why: {told.because}.")
        if told.conflicts:
            self.say(f"Conflicts logged: {self._conflicts() - conflicts}.")
        wrong = [*told.wrong, *_misplaced(told, copies)]
        if None in others:
            wrong.append(f"not every member holds {_shown(told.also)}")
        if lost != [_shown(key) for key in told.set_aside]:
            wrong.append(f"in the quarantines are {', '.join(lost) or 'no records'}")
        if told.writes is not None and writes != told.writes:
            wrong.append(f"it cost {counted(writes, 'write')}, not {told.writes}")
        self._verdict(wrong, told.right)
        return wrong

    def compare_all(self) -> list[str]:
        """Compare all tables, item by item."""
        self._say("\nAt the end, all tables are compared", style="bold cyan")
        wrong = [
            f"{_shown(difference.key)}: {difference.reason}"
            for difference in self.ring.differences()
        ]
        counts = [
            member.client.scan(TableName=member.table, Select="COUNT")["Count"]
            for member in self.members
        ]
        for member, count in zip(self.members, counts, strict=True):
            self._say(f"{_INDENT}{member.region:<16} {counted(count, 'item')} in {member.table}")
        self._verdict(wrong, "all members hold the same items")
        return wrong

    def _verdict(self, wrong: list[str], right: str) -> None:
        if wrong:
            self._say(f"{_INDENT}WRONG: {'; '.join(wrong)}", style="bold red")
        else:
            self._say(f"{_INDENT}OK: {right}", style="green")

    def _tell(self, member: LocalMember, operation: str, item: Item) -> None:
        self._written += 1
        self._say(f"{_INDENT}{member.region:<16} {operation} {_shown(item)}")

    def _copy(self, member: LocalMember, key: Mapping[str, Any]) -> Item | None:
        answer = member.client.get_item(TableName=member.table, Key=key, ConsistentRead=True)
        return application_attributes(answer["Item"]) if "Item" in answer else None

    def _set_aside(self) -> list[str]:
        """Say what is in the quarantines, and return the keys."""
        keys = []
        for member, bucket in self._quarantines():
            s3 = member.clients.s3(member.region)
            for listed in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
                body = s3.get_object(Bucket=bucket, Key=listed["Key"])["Body"].read()
                lost = json.loads(body)
                keys.append(_shown(lost["key"]))
                self.say(f"{member.region:<16} has in its quarantine {keys[-1]}: {lost['error']}")
        return keys

    def _quarantines(self) -> Iterator[tuple[LocalMember, str]]:
        buckets = {hop.quarantine: hop.source for hop in self.ring.hops.values()}
        return ((self.ring.members[name], bucket) for bucket, name in buckets.items())

    def _conflicts(self) -> int:
        return sum(hop.tally.read().get("conflicts", 0) for hop in self.ring.hops.values())

    def _say(self, text: str, style: str | None = None) -> None:
        self._console.print(text, style=style, markup=False)


def _misplaced(told: Expected, copies: list[Item | None]) -> list[str]:
    """What of a step's item is not as it was meant to be."""
    places = range(len(copies)) if told.places is None else told.places
    held = {_shown(copies[place]) for place in places}
    wrong = []
    if len(held) > 1:
        wrong.append("the members differ")
    if told.content is not None and held != {_shown({**told.key, **told.content})}:
        wrong.append(f"not every member holds {_shown({**told.key, **told.content})}")
    if any(copy is not None for place, copy in enumerate(copies) if place not in places):
        wrong.append(f"a member holds {_shown(told.key)} that should not")
    return wrong


def _shown(item: Mapping[str, Any] | None) -> str:
    """An item as a person reads it, the same for equal items."""
    if item is None:
        return "nothing"
    return "{" + ", ".join(f"{name}: {_plain(item[name])}" for name in sorted(item)) + "}"


def _plain(value: Mapping[str, Any]) -> str:
    ((kind, content),) = value.items()
    shown = _SHOWN.get(kind)
    return shown(content) if shown else json.dumps(content)


_SHOWN: Mapping[str, Callable[[Any], str]] = {
    "N": str,
    "B": lambda content: f"0x{bytes(content).hex()}",
    "SS": lambda content: f"SS{sorted(content)}",
    "NS": lambda content: f"NS{sorted(content)}",
    "BS": lambda content: f"BS{sorted(bytes(member).hex() for member in content)}",
    "L": lambda content: f"[{', '.join(map(_plain, content))}]",
    "M": _shown,
    "NULL": lambda _: "null",
}
