"""A whole ring under one source of decisions: members, hops that run the real handler, writers."""

from functools import partial
from typing import Any

from handler.model.image import DELETED, Item
from handler.protocol.decide import ReplicaId
from handler.protocol.hop import Hop
from handler.retry import DeadlineExceededError, RetryBudget, RetryingStore
from handler.store.dynamodb import Condition, Store
from tests.simulation.application import TIME_TO_LIVE, Application
from tests.simulation.batches import SimulatedBatchingStore
from tests.simulation.check import Growth, LastWrites, check_renewals
from tests.simulation.choices import Choices
from tests.simulation.circle import Circle
from tests.simulation.clock import Clock
from tests.simulation.faults import STRIKES, ThrottledError
from tests.simulation.hop import Kept, Mapping
from tests.simulation.member import Member, SimulatedStore, is_raced, take_turn
from tests.simulation.operator import Operator
from tests.simulation.plan import Plan
from tests.simulation.redrive import Redrive, Shelf
from tests.simulation.shapes import Shape
from tests.simulation.siblings import Siblings
from tests.simulation.trace import START, TracedStore

_RETENTION = 8 * 24 * 60 * 60
_LATER = 2 * 60 * 60


class World:
    """The ring, its writers and its time. With ``traces_calls``, the trace has every store call."""

    def __init__(self, choices: Choices, shape: Shape, *, traces_calls: bool = False) -> None:
        self.choices = choices
        self.shape = shape
        self.plan = plan = Plan.draw(choices, shape)
        self.trace: list[str] = []
        self.growth = Growth()
        self.last_writes = LastWrites(self._has_read)
        self.siblings = Siblings()
        self.shelf = Shelf()
        self.redrive = Redrive(self.shelf, choices)
        self.operator = Operator(self)
        self._time = float(START)
        self.steps = 0
        self._traces_calls = traces_calls
        self._faults: tuple[str, ...] = ()
        self.clocks: list[Clock] = []
        members = [self._member(skew) for skew in plan.skews]
        self.circle = Circle(members, self._mapping, self.say, by_command=shape.by_command)
        self.last_words: list[str] = []
        """The keys that were written once, at a member that left after that."""
        self.application = Application(
            list(self.members),
            plan.keys,
            plan.operations,
            choices,
            self.now,
            self.wait_until,
            self.say,
            self.last_writes,
            self.siblings,
        )

    def now(self) -> float:
        """Return the true time, in seconds since the epoch; no region knows it."""
        return self._time

    @property
    def members(self) -> list[Member]:
        """Those who are in the ring, in its order."""
        return self.circle.members

    @property
    def mappings(self) -> list[Mapping]:
        """One for each member, in the same order."""
        return self.circle.mappings

    def _member(self, skew: int) -> Member:
        place = len(self.clocks)
        clock = Clock(f"region-{place}", self.now, self.plan.grain, skew)
        self.clocks.append(clock)
        return Member(ReplicaId(f"{place:08x}", clock.region, "t"), clock)

    def _has_read(self, member: Member) -> int:
        """How many records of a member its hops are done with."""
        return min((m.position for m in self.circle.running() if m.source is member), default=0)

    def _mapping(self, here: Member, there: Member) -> Mapping:
        hop = Hop(
            source_replica=here.replica,
            target_replica=there.replica,
            source=self.store(here, here),
            target=self.store(there, here),
            uses_tombstones=self.shape.keeps_tombstones,
            replicates_expiry=self.plan.expiry_travels,
        )
        kept = Kept(self.shelf, self.siblings)
        return Mapping(here, hop, self.choices, self.plan.batch, kept)

    def store(self, member: Member, caller: Member, *, by_operator: bool = False) -> Store:
        """A member as a caller sees it, with all that can go wrong."""
        store = self._simulated(member, None if by_operator else caller)
        seen = TracedStore(store, caller, self.say) if self._traces_calls else store
        return RetryingStore(seen, self._patience()) if "try again" in self.plan.faults else seen

    def _simulated(self, member: Member, caller: Member | None) -> SimulatedStore:
        how: dict[str, Any] = {
            "keeps_tombstones": self.shape.keeps_tombstones,
            "trouble": self._trouble,
            "fits": self._fits,
            "witness": partial(self._witness, caller),
        }
        if self.shape.batches:
            return SimulatedBatchingStore(member, self._leaves_out, **how)
        return SimulatedStore(member, **how)

    def _leaves_out(self) -> bool:
        """Whether a key or a statement of a batch is left undone."""
        return "in part" in self._faults and self.choices.one_in(2)

    def _witness(
        self,
        caller: Member | None,
        member: Member,
        old: Item | None,
        new: Item | None,
        condition: Condition | None,
    ) -> None:
        """Look at a write of a hop that starts at ``caller``, or of an operator (None)."""
        self.growth.see(member, old, new)
        self.siblings.see(member, new)
        named = old or new or {}
        if caller is None or (old is not None and is_raced(old, new, condition)):
            self.last_writes.conflict(member, named["k"]["S"])  # an operator decides as well
        elif new is not None and caller is not None:
            self.last_writes.see(member, old, new, caller)

    def _patience(self) -> RetryBudget:
        return RetryBudget(
            lambda: 0 if self._faults and self.choices.one_in(20) else 60,
            lambda error: isinstance(error, ThrottledError),
            reserve_seconds=1,
            max_concurrency=1_000_000,
            pause=lambda _: take_turn(),
        )

    def _fits(self, item: Item) -> bool:
        """Whether a table takes an item; a stub, which has nothing but its key, always fits."""
        return DELETED in item or "refuse" not in self._faults or not self.choices.one_in(8)

    def _trouble(self, when: str) -> None:
        if when == "before" and "try again" in self._faults and self.choices.one_in(20):
            raise DeadlineExceededError
        fault = "throttle" if when == "before" else "time out"
        if fault in self._faults and self.choices.one_in(40 // self.shape.rate):
            raise ThrottledError(f"{fault}: {when} the call's effect")

    def run(self) -> None:
        """Writers, hops and faults all at once, then calm until everything is drained."""
        self._faults = self.plan.faults
        if self.shape.adopts:
            self._adopt()
        for _ in range(1 + self.choices.below(self.shape.most_operations)):
            self._let_pass()
            if "long rest" in self._faults and self.circle.out is None and self.choices.one_in(10):
                self._long_rest()
            stub = self._stub() if self.shape.aims else None
            if stub is not None and self.choices.below(4):
                self.application.act(*stub)
            else:
                self.application.act()
        if self.circle.out is not None and self.choices.below(2) == 0:
            self.circle.rejoin()
        self._faults = ()
        if self.shape.expires_late:
            self.drain()
            check_renewals(self)
        self.settle()
        if self.shape.adopts or self.shape.loses:
            self._operate()

    def _adopt(self) -> None:
        """Let items stand somewhere of which no stream knows, alike where at several."""
        for number in range(self.plan.keys):
            item: Item = {"k": {"S": f"k{number}"}, "v": {"N": f"-{number + 1}"}}
            holders = self.choices.some_of(self.members) or [self.members[0]]
            for member in holders:
                member.items[f"k{number}"] = item
            self.say(f"k{number} is from before the ring in {[one.name for one in holders]}")

    def _operate(self) -> None:
        """Some time later, let an operator set right what no record will."""
        self._time += _LATER
        for member in self.members if self._may_lack() else ():
            self.operator.fill(member)
            self.drain()
        for number in range(self.plan.keys) if self.shape.loses else ():
            self.operator.repair(f"k{number}", self.choices.below(len(self.members)))
            self.drain()
        self.settle()

    def _may_lack(self) -> bool:
        return self.shape.adopts or "empty" in self.plan.faults

    def _let_pass(self) -> None:
        """Let hops work for a while; where applications aim, perhaps until a stub stands."""
        aims = self.shape.aims and self.choices.below(2)
        for _ in range(self.choices.one_of((0, 1, 3, 10, 30))):
            if aims and self._stub() is not None:
                return
            self._step()

    def _stub(self) -> tuple[Member, str] | None:
        """A stub that stands somewhere."""
        for member in self.members:
            for name, item in member.items.items():
                if DELETED in item:
                    return member, name
        return None

    def settle(self) -> None:
        """All comes to rest, and what has a time to live goes, by and by, everywhere."""
        self.drain()
        for member in self.members:
            for name, item in list(member.items.items()):
                if TIME_TO_LIVE in item:
                    self.application.do("expire", member, name)
            self.drain()

    def drain(self, bound: int = 50_000) -> None:
        """Without faults, every stream must come to its end within the bound, in steps."""
        faults, self._faults = self._faults, ()
        for mapping in self.circle.running():
            mapping.still_until, mapping.loses_answer = 0, False
        self.redrive.wanted = len(self.shelf.lost)
        end = self.steps + bound
        while self._step():
            self.redrive.wanted = len(self.shelf.lost)
            if self.steps > end:
                raise AssertionError(f"something still circulates after {bound} steps")
        self.circle.at_rest |= {member.name: len(member.stream) for member in self.members}
        self._faults = faults

    def wait_until(self, end: float) -> None:
        """Let an item's time to live pass, and deliver all pending records.

        Where each member expires its own, DynamoDB comes some time after: see
        docs/explanation/guarantees.md for what can happen in the second of other writes.
        """
        then = end if self.plan.expiry_travels else max(end, self._time) + _LATER
        if then > self._time:
            if not self.shape.expires_late:
                self.drain()
            self._time = then

    def _long_rest(self) -> None:
        """All comes to rest, until records are too old to be read, and tombstones expire."""
        self.say("all comes to rest, for more than a week")
        self.drain()
        self._time += _RETENTION
        for member in self.members:
            member.horizon = len(member.stream)
            for name in self.choices.some_of(list(member.tombstones)):
                del member.tombstones[name]

    def join(self) -> None:
        """Let a new, empty member in; the hop that led past it is deleted some time later."""
        place = 1 + self.choices.below(len(self.members))
        end = self.steps + self.choices.one_of((0, 10, 100, 1_000))
        member = self._member(self.choices.one_of((0, 0, 1, -1)))
        self.application.members.append(member)
        self.circle.join(member, place, lambda: self.steps >= end or not self._faults)

    def leave(self) -> None:
        """Let the member that is out go for good, after one last write there."""
        gone = self.circle.farewell()
        self.application.do("put", gone, gone.name)
        self.application.members.remove(gone)
        self.last_words.append(gone.name)

    def replay(self) -> None:
        """Start some of the hops over at an earlier record, if the plan allows it."""
        for mapping in self.mappings if self.plan.reads_again else ():
            if self.choices.one_in(2):
                at = self.choices.below(len(mapping.source.stream) + 1)
                self.say(f"hop {mapping.source.name} starts over behind #{at}")
                mapping.start_over(at)

    def say(self, what: str) -> None:
        """Note down what happens, for the trace of a failure."""
        self.trace.append(f"{self._time - START:7.2f} {what}")

    def _step(self) -> bool:
        """Let one hop go on, or something go wrong; say whether any hop had something to do."""
        self.steps += 1
        self._time += self.plan.pace
        if self._faults and self.choices.one_in(25 // self.shape.rate):
            fault = self.choices.one_of(self._faults)
            if fault in STRIKES:
                STRIKES[fault](self)
        running: list[Mapping | Redrive | Operator] = [
            *self.circle.running(),
            self.redrive,
            self.operator,
        ]
        busy = [one for one in running if not one.is_idle]
        if not busy:
            return False
        awake = [one for one in busy if one.still_until <= self.steps]
        self.choices.one_of(awake or busy).step()
        return True
