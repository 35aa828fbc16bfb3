"""The ring as a state, and what a store call or an application makes of it.

A state is a tuple of parts (``tests.exhaust.pool``): six for each member, and some for the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

from handler.model.image import DELETED, Image, Item, replicated_write
from handler.store.dynamodb import ConditionFailed, Written
from tests.exhaust.asking import Call, Done
from tests.exhaust.detour import Detours
from tests.exhaust.invocations import Invocations
from tests.exhaust.notes import Watch
from tests.exhaust.pool import BITS, MEMBER, NONE, SCALE, Pool
from tests.exhaust.scope import Scope
from tests.simulation.check import Growth
from tests.simulation.member import Member, SimulatedStore, is_raced

ITEM, TOMB, UNREAD, PAST, NOTES, RUN = range(6)
"""Where a member has its parts: item, tombstone, records that its hop has not read and those that
it has (where they may be read again), notes, and its hop's invocation."""
WIDTH = 6
SHELF, REDRIVE, OPERATOR, HELD, WANTED, OUT, LEFT = range(7)
"""Parts of the whole: quarantined records, the run that plays one again, an operator's run,
the item that an application holds, the content that all must have in the end, the member that is
out, and what is left."""

MOST_FOLLOWED = 16
"""How often a version may be followed in its second: a scope has some writes, not that many."""
State = tuple[int, ...]
_NAME = "k0"


class Left(NamedTuple):
    """What may still happen, and the time."""

    writes: int
    faults: int
    second: int = 0


class Effect(NamedTuple):
    """What a call does to an item and its tombstone."""

    run: int
    """The run with the call's answer."""
    done: Done | None
    """Its end, if it ends with that."""
    item: int
    tombstone: int
    changes: bool
    """Whether it has any effect."""
    conflicts: bool
    """Whether it met what somebody else has made of the item since the hop looked."""
    broken: str | None


class Ring:
    """Reads states, and makes the next ones."""

    def __init__(self, scope: Scope, *, keeps_names: bool = False) -> None:
        """Take a scope. With ``keeps_names``, names stay as they are, for a reader."""
        self.scope = scope
        self.pool = Pool(scope.ids, 1 if keeps_names else SCALE, scope.order_of_digests)
        self.keeps_names = keeps_names
        self.runs = Invocations(self.pool, scope)
        self.watch = Watch(self.pool, self.runs.replicas)
        self.members = range(scope.members)
        self.detours = Detours(self.pool, scope.members)
        self.tail = scope.members * WIDTH
        self.faults = [scope.next_faults(left) for left in range(scope.most_faults + 1)]
        """What may go wrong next, by how often something may."""
        self.skews = scope.skews or (0,) * scope.members
        self._highest: dict[int, int] = {}
        self._effects: dict[tuple[int, int, int], Effect] = {}
        self._notes = [member * WIDTH + NOTES for member in self.members]
        self._pasts = [one * WIDTH + PAST for one in self.members if scope.remembers]
        self._others = [place for place in range(self.tail + LEFT + 1) if place not in self._notes]

    def first(self) -> State:
        """Return the state in which nothing has happened."""
        parts = [NONE] * (self.tail + LEFT + 1)
        parts[self.tail + LEFT] = self.put_left(Left(self.scope.writes, self.scope.most_faults))
        if self.scope.adopted:
            parts[ITEM] = self.pool.put_item(self.pool.kinds.item(1))
            parts[self.tail + OPERATOR] = self.runs.start("fill", 1, (parts[ITEM],))
        return self.settled(parts)

    def left(self, state: Sequence[int]) -> Left:
        """Return what may still happen."""
        found: Left = self.pool.values[state[self.tail + LEFT]][1]
        return found

    def put_left(self, left: Left) -> int:
        """Return the part that says what may still happen."""
        return self.pool.put(("left", left))

    def item(self, state: Sequence[int], member: int) -> Item | None:
        """Return the item at a member."""
        return self.pool.item(state[member * WIDTH + ITEM])

    def is_at_rest(self, state: State) -> bool:
        """Whether nobody has anything to do."""
        tail = self.tail
        if not self.have_read_all(state):
            return False
        return not any(state[tail + part] for part in (SHELF, REDRIVE, OPERATOR, OUT))

    def have_read_all(self, state: State) -> bool:
        """Whether no hop has anything to do."""
        for member in self.members:
            at = member * WIDTH
            if state[at + UNREAD] or state[at + RUN]:
                return False
        return True

    # -- names --------------------------------------------------------------------------------

    def settled(self, parts: list[int]) -> State:
        """Return the state in its one form: without what cannot matter, under the names due."""
        pool = self.pool
        masks, contents = pool.masks, pool.contents
        if self._pasts and not self.left(parts).faults:
            for at in self._pasts:
                parts[at] = NONE  # nobody reads it again
        live = 0
        for at in self._others:
            live |= masks[parts[at]]
        for at in self._notes:
            if parts[at]:
                parts[at] = self.watch.prune(parts[at], live, self._first_unread(parts, at - NOTES))
                live |= masks[parts[at]]
        if self.keeps_names:
            return tuple(parts)
        order = tuple(dict.fromkeys(chain.from_iterable([contents[part] for part in parts])))
        by = pool.renaming(live, tuple(sorted(order)) if pool.kinds.is_ordered else order)
        if by is None:
            return tuple(parts)
        known = by.parts
        return tuple([known[part] if part in known else pool.renamed(part, by) for part in parts])

    def _first_unread(self, parts: list[int], at: int) -> int:
        if parts[at + PAST]:
            return 1
        unread = parts[at + UNREAD]
        if not unread:
            return 0
        first: int = self.pool.values[self.pool.values[unread][1][0]][4]
        return first

    def _new_record(self, parts: Sequence[int], member: int) -> int:
        """Return the next free number of a member's records."""
        live = 0
        for part in parts:
            live |= self.pool.masks[part]
        found = (live >> member * BITS & (1 << BITS) - 1).bit_length() or 1
        return max(found, self._highest.get(member, 0) + 1)

    def new_content(self, parts: Sequence[int]) -> int:
        """Return the number of a content that nobody has written."""
        contents = chain.from_iterable([self.pool.contents[part] for part in parts])
        found = max(contents, default=0) + 1
        return max(found, self._highest.get(-1, 0) + 1)

    def use_up(self, state: State) -> None:
        """Give the names that a state has to nothing new."""
        for name in chain.from_iterable([self.pool.names[part] for part in state]):
            member, number = divmod(name, MEMBER)
            self._highest[member - 1] = max(number, self._highest.get(member - 1, 0))

    # -- what happens -------------------------------------------------------------------------

    def write(
        self, parts: list[int], member: int, item: int, second: int, *, expires: bool = False
    ) -> int:
        """Let a table have an item, or none; return its record, if that is a change."""
        at = member * WIDTH
        old = parts[at + ITEM]
        if old == item:
            return NONE
        number = self._new_record(parts, member)
        second = second + self.skews[member] + 1
        made = ("record", member, old, item, number, -second if expires else second)
        record = self.pool.put(made)
        parts[at + ITEM] = item
        unread = self.pool.list_of(parts[at + UNREAD])
        parts[at + UNREAD] = self.pool.put_list((*unread, record))
        if parts[self.tail + OUT]:
            parts[self.tail + OUT] = self.detours.grown(parts[self.tail + OUT], member, record)
        return record

    def call(self, parts: list[int], call: Call, effect: Effect, caller: int) -> str | None:
        """Let a store call of a hop take effect; an operator calls as -1. Return what it broke."""
        at = call.member * WIDTH
        parts[at + TOMB] = effect.tombstone
        record = self.write(parts, call.member, effect.item, self.left(parts).second)
        if not record or not self.scope.watches:
            return effect.broken
        notes, broken = parts[at + NOTES], None
        if caller < 0 or effect.conflicts:
            notes = self.watch.conflict(notes, call.member, record)
        elif effect.item:
            notes, broken = self.watch.see(notes, call.member, record, caller)
        parts[at + NOTES] = notes
        return effect.broken or broken

    def effect(self, run: int, call: Call, item: int, tombstone: int) -> Effect:
        """Return what the call that a run waits for does to this item and tombstone."""
        key = (run, item, tombstone)
        found = self._effects.get(key)
        if found is None:
            found = self._effects[key] = self._effect(run, call, item, tombstone)
        return found

    def simulated(self, call: Call, item: int, tombstone: int) -> Member:
        """Return a member with this item and tombstone."""
        member = Member(self.runs.replicas[call.member], lambda: 0)
        standing, stub = self.pool.item(item), self.pool.item(tombstone)
        if standing is not None:
            member.items[_NAME] = standing
        if stub is not None:
            kept = replicated_write(Image(stub))
            assert kept is not None
            member.tombstones[_NAME] = kept
        return member

    def _effect(self, run: int, call: Call, item: int, tombstone: int) -> Effect:
        member = self.simulated(call, item, tombstone)
        growth, raced = Growth(), []

        def witness(_: Any, old: Item | None, new: Item | None, condition: Any) -> None:
            growth.see(member, old, new)
            raced.append(old is not None and is_raced(old, new, condition))

        store = SimulatedStore(member, keeps_tombstones=True, witness=witness)
        answer = answered(store, call)
        kept = member.tombstones.get(_NAME)
        buried = self.pool.put_item(None if kept is None else kept.item)
        new = self.pool.put_item(member.items.get(_NAME))
        after = self.runs.answered(run, self._put_answer(answer, call))
        step = self.runs.step(after)
        return Effect(
            after,
            step if isinstance(step, Done) else None,
            new,
            buried,
            (item, tombstone) != (new, buried),
            any(raced),
            growth.broken or self._grown(new),
        )

    def _grown(self, item: int) -> str | None:
        """Return whether a version is followed again and again: then there is no end to it."""
        version = self.pool.values[item][2] if item else NONE
        if not version or self.pool.values[version][2] < MOST_FOLLOWED:
            return None
        return f"something circulates: a write was followed {MOST_FOLLOWED} times in its second"

    def _put_answer(self, answer: Any, call: Call) -> int:
        match answer:
            case Written(over):
                return self.pool.put(("answer", "written", self.pool.put_item(over)))
            case ConditionFailed(item):
                return self.pool.put(("answer", "refused", self.pool.put_item(item)))
        if call.is_of_tombstone:
            kept = None if answer is None else answer.item
            return self.pool.put(("answer", "delete", self.pool.put_item(kept)))
        return self.pool.put(("answer", "item", self.pool.put_item(answer)))

    def holds_stub(self, state: Sequence[int], member: int) -> bool:
        """Whether a stub stands at a member, perhaps with what somebody wrote on it."""
        item = self.item(state, member)
        return item is not None and DELETED in item

    def read(self, parts: Sequence[int], member: int) -> int:
        """Return the number of the last record that a member's hop is done with."""
        first = self.pool.list_of(parts[member * WIDTH + UNREAD])[0]
        number: int = self.pool.values[first][4]
        return number - 1


def answered(store: Any, call: Call) -> Any:
    """Make a call of a simulated store, and return its answer."""
    made = getattr(store, call.method)(*call.arguments)
    try:
        while True:
            made.send(None)
    except StopIteration as stop:
        return stop.value
