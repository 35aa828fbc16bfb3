"""Two members and the hop between them, in memory: one record at a time, no surprises."""

from collections.abc import Coroutine
from typing import Any, TypeVar

from handler.model.image import Image, Item, Key, application_attributes
from handler.model.records import read_change
from handler.model.version import Version
from handler.protocol.decide import ReplicaId
from handler.protocol.hop import Hop, Outcome
from handler.protocol.replicate import replicate
from tests.simulation.member import Member, SimulatedStore

T = TypeVar("T")

HERE = ReplicaId("aaaaaaaa", "us-east-1", "orders")
THERE = ReplicaId("bbbbbbbb", "eu-west-1", "orders")
ELSEWHERE = ReplicaId("cccccccc", "ap-southeast-2", "orders")
KEY: Key = {"k": {"S": "1"}}


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine whose every store call is answered at once."""
    while True:
        try:
            work.send(None)
        except StopIteration as stop:
            result: T = stop.value
            return result


class Pair:
    """A source, a target, and the hop that replicates one's changes to the other."""

    def __init__(self, *, tombstones: bool = True, expiry: str = "own") -> None:
        self.now = 1000
        self.here = Member(HERE, lambda: self.now)
        self.there = Member(THERE, lambda: self.now)
        source, target = (
            SimulatedStore(member, keeps_tombstones=tombstones)
            for member in (self.here, self.there)
        )
        self.hop = Hop(HERE, THERE, source, target, tombstones, expiry == "delete")
        self.done = 0

    def process(self) -> list[Outcome]:
        """Let the hop work on all records of the source that it has not seen yet."""
        outcomes = []
        while self.done < len(self.here.stream):
            outcomes.append(self.deliver(self.done))
            self.done += 1
        return outcomes

    def deliver(self, place: int) -> Outcome:
        """Deliver one record of the source, perhaps not for the first time."""
        return run(replicate(read_change(self.here.stream[place]), self.hop))

    def forget(self) -> None:
        """Take what happened so far as seen."""
        self.done = len(self.here.stream)


def item(value: str, **more: Any) -> dict[str, Any]:
    """An item as an application writes it."""
    return {**KEY, "v": {"S": value}, **more}


def seen(member: Member) -> Item | None:
    """The item as an application reads it, without the ring's attributes."""
    standing = member.items.get("1")
    return None if standing is None else application_attributes(standing)


def version_at(member: Member) -> Version:
    """The version of the item that stands there."""
    version = Image(member.items["1"]).version
    assert version is not None
    return version
