"""Three members in memory, with what an operator does to a key of theirs, and their hops."""

from __future__ import annotations

from collections import Counter
from typing import Any

from handler.model.image import application_attributes
from handler.model.records import read_change
from handler.protocol.decide import ReplicaId
from handler.protocol.hop import Hop
from handler.protocol.replicate import replicate
from operate.reconcile.backfill_key import BackfillOutcome, BackfillPath, backfill_key
from operate.reconcile.repair_key import KeyRepair, RepairTarget, repair_key
from tests.simulation.member import Member, SimulatedStore
from tests.support.pair import KEY, run

PLACES = [ReplicaId(f"{letter}" * 8, letter, "t") for letter in "abc"]


class Three:
    """A source, a target and the target's next member."""

    def __init__(self, *, keeps_tombstones: bool = True) -> None:
        self.members = [Member(place, lambda: 1000) for place in PLACES]
        self.ends = [
            RepairTarget(
                member.replica,
                SimulatedStore(member, keeps_tombstones=keeps_tombstones),
                keeps_tombstones,
            )
            for member in self.members
        ]
        self.source, self.target, self.next = self.members
        self._done = Counter[str]()

    def fill(self) -> BackfillOutcome:
        source, target, following = self.ends
        path = BackfillPath(source, target, [following], [following])
        return run(backfill_key(path, KEY, self.source.items["1"]))

    def repair(self, prefer: int | None = None) -> KeyRepair:
        return run(repair_key(self.ends, KEY, prefer))

    def run_hops(self, laps: int) -> int:
        """Let each hop in turn process its new records; return how many there were."""
        before = self._done.total()
        for start, end in laps * list(zip(self.ends, self.ends[1:] + self.ends[:1], strict=True)):
            tombstones = start.keeps_tombstones
            hop = Hop(start.replica, end.replica, start.store, end.store, tombstones, False)
            (stream,) = (m.stream for m in self.members if m.replica == start.replica)
            for record in stream[self._done[start.replica.id] :]:
                run(replicate(read_change(record), hop))
                self._done[start.replica.id] += 1
        return self._done.total() - before

    def contents(self) -> list[dict[str, Any] | None]:
        items = [member.items.get("1") for member in self.members]
        return [None if found is None else application_attributes(found) for found in items]
