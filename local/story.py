"""What the demo is told with: writes that are shown, counted and compared."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.compare import Item, without_stamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from local.ring import LocalMember, LocalRing

_TIMEOUT = 180.0
_INDENT = "   "


@dataclass(frozen=True)
class Told:
    """How a step is meant to end. Without ``content`` it may end either way, but equally."""

    key: Mapping[str, Any]
    content: Mapping[str, Any] | None = None
    because: str = ""
    writes: int | None = None
    conflicts: bool = False


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

    def tell(self, title: str, step: Callable[[Story], Told]) -> list[str]:
        """Tell one step, and return what did not end as it was meant to."""
        self._say(f"\n{title}", style="bold cyan")
        self._written = 0
        conflicts = self._conflicts()
        before, begun = self.ring.meter.read(), time.monotonic()
        told = step(self)
        self.settle()
        took, cost = time.monotonic() - begun, self.ring.meter.read() - before
        writes = cost.count() + cost.count(refused=True) - self._written
        self._say(f"{_INDENT}{took:.1f} s later, after {writes} writes by the hops:", style="dim")
        copies = {member.region: self._copy(member, told.key) for member in self.members}
        for region, copy in copies.items():
            self._say(f"{_INDENT}{region:<16} {'has  ' + _shown(copy) if copy else 'has nothing'}")
        self._say(f"{_INDENT}Why: {told.because}.")
        if told.conflicts:
            self._say(f"{_INDENT}Conflicts logged: {self._conflicts() - conflicts}.")
        return self._judge(told, writes, copies)

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
            self._say(f"{_INDENT}{member.region:<16} {count} items in {member.table}")
        self._verdict(wrong, "all members hold the same items")
        return wrong

    def _judge(self, told: Told, writes: int, copies: Mapping[str, Item | None]) -> list[str]:
        wrong = []
        if len({_shown(copy) for copy in copies.values()}) > 1:
            wrong.append("the members differ")
        if told.content is not None and any(
            _shown(copy) != _shown({**told.key, **told.content}) for copy in copies.values()
        ):
            wrong.append(f"not every member holds {_shown({**told.key, **told.content})}")
        if told.writes is not None and writes != told.writes:
            wrong.append(f"it cost {writes} writes, not {told.writes}")
        self._verdict(wrong, "the members agree")
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
        return without_stamp(answer["Item"]) if "Item" in answer else None

    def _conflicts(self) -> int:
        return sum(hop.tally.read().get("conflicts", 0) for hop in self.ring.hops.values())

    def _say(self, text: str, style: str | None = None) -> None:
        self._console.print(text, style=style, markup=False)


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
