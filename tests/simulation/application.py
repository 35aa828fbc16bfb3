"""What applications do to a simulated ring, one operation at a time."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from handler.model.expiry import will_be_deleted
from handler.model.image import DELETED, Item, Key
from tests.simulation.check import LastWrites
from tests.simulation.choices import Choices
from tests.simulation.member import Member
from tests.simulation.siblings import Siblings
from tests.simulation.trace import format_item

TIME_TO_LIVE = "ttl"
_LIFE = 2 * 60 * 60
"""How long an item with a time to live is there, in seconds: longer than a clock is wrong."""


@dataclass
class Application:
    """Writes to any member, any key; sometimes what it read long before."""

    members: list[Member]
    """All that anybody writes to, also one that is out of the ring."""
    keys: int
    operations: Sequence[str]
    choices: Choices
    now: Callable[[], float]
    """The true time, which no region knows."""
    wait_until: Callable[[float], None]
    say: Callable[[str], None]
    last_writes: LastWrites
    siblings: Siblings
    held: list[tuple[str, Item]] = field(default_factory=list)
    written: int = 0
    ends: dict[str, float] = field(default_factory=dict)
    """Until when each key should be there, by the last write of its time to live."""

    def act(self, member: Member | None = None, key: str | None = None) -> None:
        """Do one operation, there or anywhere."""
        member = member or self.choices.one_of(self.members)
        key = key or f"k{self.choices.below(self.keys)}"
        self.do(self.choices.one_of(self.operations), member, key)

    def do(self, operation: str, member: Member, name: str) -> None:
        """Do that operation there, and say so."""
        with self._noted(operation, member, name):
            self._perform(operation, member, {"k": {"S": name}})

    def write(self, member: Member, name: str, item: Item | None) -> None:
        """Write that item there, or delete it for None: as an operator does."""
        with self._noted("resolve", member, name):
            member.write({"k": {"S": name}}, item)

    @contextmanager
    def _noted(self, operation: str, member: Member, name: str) -> Iterator[None]:
        """Take note of what is written meanwhile, and say so."""
        before = len(member.stream)
        was = member.items.get(name)
        yield
        on_stub = was is not None and DELETED in was
        for record in range(before, len(member.stream)):
            self.siblings.wrote(member, name, record + 1, excused=on_stub or operation == "expire")
        if len(member.stream) > before and operation != "expire":
            if on_stub and name not in member.items:
                # Attributes written on a stub go with it, no matter which hop removes it.
                self.last_writes.conflict(member, name)
            else:
                self.last_writes.wrote(member, name)
        numbers = ", ".join(f"#{number + 1}" for number in range(before, len(member.stream)))
        now = format_item(member.items.get(name))
        self.say(f"{operation} {name} in {member.name}: {now}, record {numbers or 'none'}")

    def _perform(self, operation: str, member: Member, key: Key) -> None:
        standing = member.items.get(key["k"]["S"])
        match operation:
            case "expire" if standing is not None and "N" in standing.get(TIME_TO_LIVE, {}):
                self._expire(member, key, float(standing[TIME_TO_LIVE]["N"]))
            case "hold" if standing is not None:
                self.held.append((key["k"]["S"], standing))
            case "put back" | "put back edited" if self.held:
                self._put_back(member, edited=operation == "put back edited")
            case _:
                for item in self._writes(operation, key, standing):
                    member.write(key, item)

    def _writes(self, operation: str, key: Key, standing: Item | None) -> Iterator[Item | None]:
        """What an operation writes, one after the other; None: it deletes."""
        match operation:
            case "put":
                yield self._fresh(key)
            case "update" | "update if there" if standing is not None or operation == "update":
                # UpdateItem leaves the attributes that it does not name, the ring's included.
                yield {**(standing or key), **self._content()}
            case "delete":
                yield None
            case "delete and put":
                yield None
                yield self._fresh(key)
            case "put if absent" if standing is None:
                yield self._fresh(key)
            case "put with a time to live":
                yield from self._timed(key, self._fresh(key))
            case "renew" if standing is not None and TIME_TO_LIVE in standing:
                yield from self._timed(key, standing)

    def _timed(self, key: Key, item: Item) -> Iterator[Item]:
        end = self.now() + _LIFE
        self.ends[key["k"]["S"]] = end
        yield {**item, TIME_TO_LIVE: {"N": str(end)}}

    def _expire(self, member: Member, key: Key, end: float) -> None:
        self.wait_until(end)
        standing = member.items.get(key["k"]["S"], {})
        if will_be_deleted(standing, TIME_TO_LIVE, self.now()):
            member.write(key, None, expired=True)

    def _put_back(self, member: Member, *, edited: bool) -> None:
        name, item = self.choices.one_of(self.held)
        member.write({"k": {"S": name}}, {**item, **self._content()} if edited else item)

    def _fresh(self, key: Key) -> dict[str, Any]:
        return {**key, **self._content()}

    def _content(self) -> dict[str, Any]:
        self.written += 1
        return {"v": {"N": str(self.written)}}
