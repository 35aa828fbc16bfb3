"""An operator who mends keys and fills members while applications write and hops run."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

from handler.model.image import Item
from handler.protocol.apply import ContendedError
from handler.store.dynamodb import ItemTooLargeError
from operate.reconcile.backfill_key import BackfillPath, backfill_key
from operate.reconcile.repair_key import RepairTarget, repair_key
from tests.simulation.member import Member

if TYPE_CHECKING:
    from tests.simulation.world import World

Task = Callable[[], Coroutine[Any, Any, Any]]


class Operator:
    """Does one task after the other; its calls lie between those of the hops."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tasks: deque[Task] = deque()
        self._work: Coroutine[Any, Any, Any] | None = None
        self.still_until = 0

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to do."""
        return self._work is None and not self._tasks

    def step(self) -> None:
        """Begin with a task, or go on to the next store call."""
        if self._work is None:
            self._work = self._tasks.popleft()()
        try:
            self._work.send(None)
        except (StopIteration, OSError, ItemTooLargeError, ContendedError):
            self._work = None  # what failed is done again in the end

    def repair(self, name: str, prefer: int | None = None) -> None:
        """Repair a key at some later step."""
        self._world.say(f"an operator repairs {name}")
        ends = [self._end(member) for member in self._world.members]
        self._tasks.append(partial(repair_key, ends, _key(name), prefer))

    def fill(self, target: Member) -> None:
        """Fill a member from the one before it, by what that has now."""
        members = self._world.members
        source = members[members.index(target) - 1]
        self._world.say(f"an operator fills {target.name} from {source.name}")
        path = self._path(source, target)
        for name, item in source.items.items():
            self._tasks.append(partial(backfill_key, path, _key(name), item))

    def _path(self, source: Member, target: Member) -> BackfillPath:
        onward = [one for one in self._world.mappings if one.source is target]
        following = [one.hop.target_replica for one in onward]
        members = self._world.members
        return BackfillPath(
            self._end(source),
            self._end(target),
            [self._end(one) for one in members if one.replica in following],
            [self._end(one) for one in members if one not in (source, target)],
        )

    def _end(self, member: Member) -> RepairTarget:
        store = self._world.store(member, member, by_operator=True)
        return RepairTarget(member.replica, store, self._world.shape.keeps_tombstones)


def _key(name: str) -> Item:
    return {"k": {"S": name}}
