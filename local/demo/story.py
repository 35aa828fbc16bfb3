"""Print, count and verify the steps of the demo."""

from __future__ import annotations

import json
import textwrap
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
    """Expected result of a step. Without `content`, any that is the same at all members."""

    key: Mapping[str, Any]
    content: Mapping[str, Any] | None = None
    because: str = ""
    writes: int | None = None
    conflicts: bool = False
    members: tuple[int, ...] | None = None
    """Indexes of the members that have the item; None: all."""
    also: Mapping[str, Any] | None = None
    """Key of another item, which all members have."""
    quarantined: tuple[Mapping[str, Any], ...] = ()
    """Keys of all records in the quarantines."""
    success: str = "all members are in sync"
    problems: tuple[str, ...] = ()
    """Problems found during the step."""


class Story:
    """Run steps on a ring and print their results."""

    def __init__(self, ring: LocalRing, console: Console) -> None:
        self.ring = ring
        self.members = list(ring.members.values())
        self._console = console
        self._written = 0

    def introduce(self) -> None:
        """Describe the ring."""
        names = [member.region for member in self.members]
        arrows = " -> ".join([*names, names[0]])
        self._print(f"Ring of {len(names)} DynamoDB tables on this machine: {arrows}", style="bold")
        self._print(
            "It runs the program that `pulumi up` deploys and the handler of the functions."
        )

    def begin(self, title: str) -> None:
        """Print the title of a part."""
        self._print(f"\n{title}", style="bold")

    def conclude(self, problems: list[str]) -> None:
        """Print whether all steps ended as expected."""
        if problems:
            text = f"{counted(len(problems), 'problem')}: see FAILED above."
            self._print(f"\n{text}", style="bold red")
        else:
            self._print("\nAll steps ended as expected.", style="bold green")

    def put(self, index: int, item: Item) -> None:
        """Put an item at a member."""
        member = self.members[index]
        self._record_write(member, "PutItem", item)
        member.client.put_item(TableName=member.table, Item=item)

    def update(self, index: int, key: Item, attribute: str, value: Mapping[str, Any]) -> None:
        """Set one attribute of an item at a member."""
        member = self.members[index]
        self._record_write(member, "UpdateItem", {**key, attribute: value})
        member.client.update_item(
            TableName=member.table,
            Key=key,
            UpdateExpression="SET #a = :v",
            ExpressionAttributeNames={"#a": attribute},
            ExpressionAttributeValues={":v": value},
        )

    def delete(self, index: int, key: Item) -> None:
        """Delete an item at a member."""
        member = self.members[index]
        self._record_write(member, "DeleteItem", key)
        member.client.delete_item(TableName=member.table, Key=key)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Pause the hops, so that the writes in this context are concurrent."""
        self._print(f"{_INDENT}(all hops are paused for these writes)", style="dim")
        with self.ring.paused():
            yield

    def settle(self) -> None:
        """Wait until all writes are replicated."""
        self.ring.wait_until_quiet(_TIMEOUT)

    def print(self, text: str) -> None:
        """Print a line within a step."""
        self._print(f"{_INDENT}{text}")

    def wait_until(self, condition: Callable[[], bool], description: str) -> None:
        """Wait until a condition holds. Raises `TimeoutError`."""
        end = time.monotonic() + _TIMEOUT
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"Not within {_TIMEOUT:g} s: {description}.")
            time.sleep(0.01)

    def hop_from(self, index: int) -> LocalHop:
        """Return the hop whose source is a member."""
        (hop,) = self.ring.hops_from(self.members[index].name)
        return hop

    def show(self, keys: Mapping[int, Mapping[str, Any]]) -> list[Item | None]:
        """Print members' items under a key, and return them."""
        copies = []
        for index, key in keys.items():
            member = self.members[index]
            copy = self._copy(member, key)
            self.print(f"{member.region:<16} {'has  ' + _format(copy) if copy else 'has nothing'}")
            copies.append(copy)
        return copies

    def run_step(self, title: str, step: Callable[[Story], Expected]) -> list[str]:
        """Run a step and print its result; return what did not end as expected."""
        self._print(f"\n{title}", style="bold cyan")
        self._written = 0
        conflicts = self._conflicts()
        before, began = self.ring.meter.read(), time.monotonic()
        expected = step(self)
        self.settle()
        seconds, cost = time.monotonic() - began, self.ring.meter.read() - before
        writes = cost.count() + cost.count(refused=True) - self._written
        self._print(
            f"{_INDENT}After {seconds:.1f} s and {counted(writes, 'write')} by the hops:",
            style="dim",
        )
        problems = self._verify(expected)
        self.print(f"Why: {expected.because}.")
        if expected.conflicts:
            self.print(f"Conflicts logged: {self._conflicts() - conflicts}.")
        if expected.writes is not None and writes != expected.writes:
            problems.append(f"the hops made {counted(writes, 'write')}, not {expected.writes}")
        self._print_result(problems, expected.success)
        return problems

    def _verify(self, expected: Expected) -> list[str]:
        """Print the members' items and quarantines; return what is not as expected."""
        everywhere = range(len(self.members))
        copies = self.show(dict.fromkeys(everywhere, expected.key))
        others = self.show(dict.fromkeys(everywhere, expected.also)) if expected.also else []
        quarantined = self._show_quarantined()
        problems = [*expected.problems, *_unexpected_copies(expected, copies)]
        if None in others:
            problems.append(f"not every member has {_format(expected.also)}")
        if quarantined != [_format(key) for key in expected.quarantined]:
            problems.append(f"the quarantines have {', '.join(quarantined) or 'no records'}")
        return problems

    def compare_all(self) -> list[str]:
        """Compare all tables item by item."""
        self._print("\nFinally, all tables are compared.", style="bold cyan")
        problems = [
            f"{_format(difference.key)}: {difference.reason}"
            for difference in self.ring.differences()
        ]
        counts = [
            member.client.scan(TableName=member.table, Select="COUNT")["Count"]
            for member in self.members
        ]
        for member, count in zip(self.members, counts, strict=True):
            self._print(f"{_INDENT}{member.region:<16} {counted(count, 'item')} in {member.table}")
        self._print_result(problems, "all members have the same items")
        return problems

    def _print_result(self, problems: list[str], success: str) -> None:
        if problems:
            self._print(f"{_INDENT}FAILED: {'; '.join(problems)}", style="bold red")
        else:
            self._print(f"{_INDENT}OK: {success}", style="green")

    def _record_write(self, member: LocalMember, operation: str, item: Item) -> None:
        self._written += 1
        self._print(f"{_INDENT}{member.region:<16} {operation} {_format(item)}")

    def _copy(self, member: LocalMember, key: Mapping[str, Any]) -> Item | None:
        response = member.client.get_item(TableName=member.table, Key=key, ConsistentRead=True)
        return application_attributes(response["Item"]) if "Item" in response else None

    def _show_quarantined(self) -> list[str]:
        """Print the quarantined records and return their keys."""
        keys = []
        for member, bucket in self._quarantines():
            s3 = member.clients.s3(member.region)
            for listed in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
                body = s3.get_object(Bucket=bucket, Key=listed["Key"])["Body"].read()
                record = json.loads(body)
                keys.append(_format(record["key"]))
                self.print(f"{member.region:<16} quarantined {keys[-1]}: {record['error']}")
        return keys

    def _quarantines(self) -> Iterator[tuple[LocalMember, str]]:
        buckets = {hop.quarantine: hop.source for hop in self.ring.hops.values()}
        return ((self.ring.members[name], bucket) for bucket, name in buckets.items())

    def _conflicts(self) -> int:
        return sum(hop.tally.read().get("conflicts", 0) for hop in self.ring.hops.values())

    def _print(self, text: str, style: str | None = None) -> None:
        self._console.print(self._wrap(text), style=style, markup=False)

    def _wrap(self, text: str) -> str:
        """Wrap long lines on a terminal, with their indentation, except commands to copy."""
        width = self._console.width
        if not self._console.is_terminal or text.lstrip().startswith("$ "):
            return text
        indent = " " * (len(text) - len(text.lstrip(" ")) + 2)
        return "\n".join(
            part
            for line in text.split("\n")
            for part in textwrap.wrap(line, width, subsequent_indent=indent, break_on_hyphens=False)
            or [""]
        )


def _unexpected_copies(expected: Expected, copies: list[Item | None]) -> list[str]:
    """Return how the copies of a step's item differ from what is expected."""
    indexes = range(len(copies)) if expected.members is None else expected.members
    held = {_format(copies[index]) for index in indexes}
    problems = []
    if len(held) > 1:
        problems.append("the members differ")
    if expected.content is not None:
        item = _format({**expected.key, **expected.content})
        if held != {item}:
            problems.append(f"not every member has {item}")
    if any(copy is not None for index, copy in enumerate(copies) if index not in indexes):
        problems.append(f"a member has {_format(expected.key)} that should not")
    return problems


def _format(item: Mapping[str, Any] | None) -> str:
    """Format an item; the result is the same for equal items."""
    if item is None:
        return "nothing"
    return "{" + ", ".join(f"{name}: {_plain(item[name])}" for name in sorted(item)) + "}"


def _plain(value: Mapping[str, Any]) -> str:
    ((kind, content),) = value.items()
    formatter = _FORMATTERS.get(kind)
    return formatter(content) if formatter else json.dumps(content)


_FORMATTERS: Mapping[str, Callable[[Any], str]] = {
    "N": str,
    "B": lambda content: f"0x{bytes(content).hex()}",
    "SS": lambda content: f"SS{sorted(content)}",
    "NS": lambda content: f"NS{sorted(content)}",
    "BS": lambda content: f"BS{sorted(bytes(member).hex() for member in content)}",
    "L": lambda content: f"[{', '.join(map(_plain, content))}]",
    "M": _format,
    "NULL": lambda _: "null",
}
