"""Count writes and reads for each application write, at the tables of a ring in memory.

The ring is that of the simulation: the handler's code over tables that count requests. With items
up to 1 KB each write takes one write unit, even if its condition fails, and each strongly
consistent read one read unit:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from benchmarks.screen import Screen, number
from handler.batch import BatchContext, replicate_batch
from handler.protocol.decide import ReplicaId
from handler.protocol.hop import Hop
from tests.simulation.member import Member, SimulatedStore
from tests.support.fakes import ListQuarantine
from tests.support.pair import run as wait_for

_SIZES = (2, 3, 5)
_HOT = 100


class Ring:
    """A ring in memory whose hops work in `drain`."""

    def __init__(self, size: int) -> None:
        self.now = 1_700_000_000
        self.members = [
            Member(ReplicaId(f"{place:08x}", f"region-{place}", "t"), lambda: self.now)
            for place in range(size)
        ]
        self._done = [0] * size

    def write(self, place: int, value: int | None, key: str = "a") -> None:
        """Write an item at a member as an application does; None deletes it."""
        name = {"k": {"S": key}}
        item: dict[str, Any] | None = None if value is None else {**name, "v": {"N": str(value)}}
        self.members[place].write(name, item)

    def drain(self) -> None:
        """Run all hops, one after the other, until no records are left."""
        while self._is_behind():
            for place in range(len(self.members)):
                self._work(place)
        self.now += 60

    def _is_behind(self) -> bool:
        pairs = zip(self.members, self._done, strict=True)
        return any(len(member.stream) > done for member, done in pairs)

    def _work(self, place: int) -> None:
        source, target = self.members[place], self.members[(place + 1) % len(self.members)]
        stores = [SimulatedStore(member, keeps_tombstones=True) for member in (source, target)]
        hop = Hop(source.replica, target.replica, stores[0], stores[1], True, False)
        records = source.stream[self._done[place] :]
        self._done[place] = len(source.stream)
        wait_for(replicate_batch(records, BatchContext(hop, ListQuarantine()), _sequentially))

    def costs_of(self, case: Callable[[Ring], int]) -> tuple[float, float]:
        """Return the hops' writes and reads for each application write.

        The case makes the application's writes and returns their number.
        """
        for member in self.members:
            member.writes = member.reads = 0
        count = case(self)
        self.drain()
        writes = sum(member.writes for member in self.members) - count
        return writes / count, sum(member.reads for member in self.members) / count


async def _sequentially(keys: Iterable[Awaitable[None]]) -> None:
    for key in keys:
        await key


def _insert(ring: Ring) -> int:
    ring.write(0, 1)
    return 1


def _update(ring: Ring) -> int:
    ring.write(0, 2)
    return 1


def _update_elsewhere(ring: Ring) -> int:
    ring.write(1, 3)
    return 1


def _delete(ring: Ring) -> int:
    ring.write(0, None)
    return 1


def _hot(ring: Ring) -> int:
    for value in range(_HOT):
        ring.write(0, 10 + value)
    return _HOT


def _comes_and_goes(ring: Ring) -> int:
    for value in range(_HOT // 2):
        ring.write(0, 10 + value)
        ring.write(0, None)
    return _HOT


def _conflict(ring: Ring) -> int:
    ring.write(0, 200)
    ring.write(1, 201)
    return 2


def _late_delete(ring: Ring) -> int:
    ring.write(0, None)
    ring.write(1, 202)
    return 2


CASES: dict[str, Callable[[Ring], int]] = {
    "insert": _insert,
    "update": _update,
    "update in a replica": _update_elsewhere,
    "delete": _delete,
    "insert after a delete": _insert,
    f"hot key: {_HOT} updates in a batch": _hot,
    "conflict: two members update": _conflict,
    "conflict: one deletes, one updates": _late_delete,
    f"hot key: {_HOT // 2} inserts and deletes": _comes_and_goes,
}


def run(screen: Screen, _: float) -> None:
    """Print the costs of each case, in idle rings of several sizes."""
    rings = {size: Ring(size) for size in _SIZES}
    rows = []
    for name, case in screen.progress("Writes and reads", list(CASES.items())):
        costs = [ring.costs_of(case) for ring in rings.values()]
        rows.append([name, *(f"{number(writes)} + {number(reads)}" for writes, reads in costs)])
    columns = ["", *(f"ring of {size}" for size in _SIZES)]
    title = "By the hops, for each write of the application: writes + reads"
    screen.table(title, columns, rows)
