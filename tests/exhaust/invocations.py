"""The handler's coroutines as values: what they were given, and what their store calls answered.

A coroutine cannot be copied. But what it does next follows from what it was given and what the
stores have answered so far. So a running one is a part of a state (``run``, see
``tests.exhaust.pool``); its next call is found by running it from its beginning with these answers,
once for all states that have it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from handler.batch import BatchContext, replicate_batch
from handler.model.image import Image, replicated_write
from handler.model.records import Record, read_change
from handler.model.version import Version
from handler.protocol.apply import ContendedError
from handler.protocol.decide import ReplicaId
from handler.protocol.hop import Hop
from handler.protocol.replay import replay
from handler.quarantine import QuarantinedRecord
from handler.store.dynamodb import ConditionFailed, ItemTooLargeError, Written
from operate.reconcile.backfill_key import BackfillPath, backfill_key
from operate.reconcile.repair_key import RepairTarget, repair_key
from tests.exhaust.asking import Asked, AskingStore, Call, Done
from tests.exhaust.contents import KEY
from tests.exhaust.forgotten import with_forgotten
from tests.exhaust.frames import Knowledge, UnknownValueError
from tests.exhaust.pool import START, Pool, Renaming
from tests.exhaust.scope import Scope
from tests.simulation.stream_json import as_json

THROTTLED, TOO_LARGE = ("answer", "throttled", 0), ("answer", "too large", 0)


class Invocations:
    """Runs the handler's coroutines as far as their answers go."""

    def __init__(self, pool: Pool, scope: Scope) -> None:
        self._pool = pool
        self._steps: dict[int, Call | Done] = {}
        self._begun: dict[Any, int] = {}
        self._next: dict[tuple[int, int], int] = {}
        self._known: dict[Any, int] = {}
        self._knowledge = Knowledge()
        self.forgets = scope.forgets
        """Whether coroutines that know the same are the same, whatever they were answered."""
        pool.rename_run = self._renamed
        self._keeps = scope.keeps_tombstones
        self._expiry_travels = scope.expiry_travels
        self.replicas = [
            ReplicaId(one, f"region-{place}", "t") for place, one in enumerate(scope.ids)
        ]
        self._hops = [self._hop(here, 1) for here in range(scope.members)]
        self._around = [self._hop(here, 2) for here in range(scope.members)]

    def _hop(self, here: int, steps: int) -> Hop:
        there = (here + steps) % len(self.replicas)
        return Hop(
            source_replica=self.replicas[here],
            target_replica=self.replicas[there],
            source=self._store(here),
            target=self._store(there),
            uses_tombstones=self._keeps,
            replicates_expiry=self._expiry_travels,
        )

    def _store(self, member: int) -> AskingStore:
        return AskingStore(member, keeps_tombstones=self._keeps)

    def start(self, kind: str, member: int, parts: tuple[int, ...]) -> int:
        """Return a new coroutine; see ``_made``."""
        key = (kind, member, parts)
        found = self._begun.get(key)
        if found is None:
            found = self._begun[key] = self._put(kind, member, parts, ())
        return found

    def answered(self, run: int, answer: int) -> int:
        """Return the coroutine with one more answer, or one that knows the same."""
        found = self._next.get((run, answer))
        if found is None:
            _, kind, member, parts, answers = self._pool.values[run]
            found = self._put(kind, member, parts, (*answers, answer))
            self._next[run, answer] = found
        return found

    def step(self, run: int) -> Call | Done:
        """Return what a coroutine does next."""
        return self._steps[run]

    def _put(self, kind: str, member: int, parts: tuple[int, ...], answers: tuple[int, ...]) -> int:
        """Return the number of a coroutine: of the first that knew the same."""
        value = ("run", kind, member, parts, answers)
        step, known, named = self._replayed(kind, member, parts, answers)
        mark = (kind, member, parts, answers if known is None else known)
        found = self._known.get(mark)
        if found is None:
            names = None
            if known is not None:
                given = [name for part in parts for name in self._pool.names[part]]
                names = (*given, *(name for one in named for name in self._pool.names_of(one)))
            found = self._known[mark] = self._pool.put(value, names)
            self._steps[found] = step
        return found

    def _renamed(self, run: int, by: Renaming) -> int:
        """Return a coroutine under other names; what it has forgotten keeps its place."""
        _, kind, member, parts, answers = self._pool.values[run]
        known = {name: by.names[name] for name in self._pool.names[run]}
        every = dict.fromkeys(self._pool.names_in(self._pool.values[run]))
        new = by if every.keys() <= known.keys() else Renaming(with_forgotten(known, every))
        given, said = (
            tuple(self._pool.renamed(part, new) for part in some) for some in (parts, answers)
        )
        return self._put(kind, member, given, said)

    def _replayed(
        self, kind: str, member: int, parts: tuple[int, ...], answers: tuple[int, ...]
    ) -> tuple[Call | Done, Any, list[str | Version]]:
        """Return what comes after these answers, what the coroutine knows then, and the texts and
        versions in that."""
        quarantined: list[Record] = []
        named: list[str | Version] = []
        coroutine, done = self._made(kind, member, parts, quarantined)
        try:
            asked = coroutine.send(None)
            for answer in answers:
                asked = self._give(coroutine, asked, answer)
        except StopIteration as stop:
            return done(stop.value), None, named
        except (OSError, ItemTooLargeError, ContendedError) as error:
            return Done(failed=type(error).__name__), None, named
        known = None
        if self.forgets:
            with suppress(UnknownValueError):
                # The call that it waits for is no more in its frames.
                known, named = self._knowledge.of((asked, coroutine, len(quarantined)))
        coroutine.close()
        return asked.call, known, named

    def _give(self, coroutine: Coroutine[Asked, Any, Any], asked: Asked, answer: int) -> Asked:
        _, kind, number = self._pool.values[answer]
        item = self._pool.item(number)
        match kind:
            case "throttled":
                return coroutine.throw(OSError("the simulated DynamoDB refuses or loses a call"))
            case "too large":
                return coroutine.throw(ItemTooLargeError("Item size has exceeded the maximum"))
            case "written":
                return coroutine.send(Written(item))
            case "refused":
                return coroutine.send(ConditionFailed(item))
            case "delete":
                return coroutine.send(None if item is None else replicated_write(Image(item)))
        return coroutine.send(item)

    def _made(
        self, kind: str, member: int, parts: tuple[int, ...], quarantined: list[Record]
    ) -> tuple[Coroutine[Asked, Any, Any], Callable[[Any], Done]]:
        """Make a coroutine, and what reads its result.

        - ``batch``: a hop's work on records
        - ``around``: the same of the hop from a member to the one behind the next
        - ``replay``: a hop's work on a record that was quarantined
        - ``repair``: an operator's work on the key, who prefers a member, or none (-1)
        - ``fill``: an operator's work to fill a member with an item of the one before it
        """
        match kind:
            case "batch" | "around":
                records = [self._record(part) for part in parts]
                hop = (self._hops if kind == "batch" else self._around)[member]
                work = BatchContext(hop, _Shelf(quarantined), now=lambda: 0.0)
                made: Any = replicate_batch(records, work, _one_by_one)
                return made, lambda report: _read(report, records, quarantined)
            case "replay":
                change = read_change(self._record(parts[0]))
                return replay(change, self._hops[member]), lambda _: Done()
            case "repair":
                ends = [self._end(place) for place in range(len(self.replicas))]
                prefer = None if member < 0 else member
                return repair_key(ends, KEY, prefer), lambda _: Done()
        item = self._pool.item(parts[0])
        assert item is not None
        return backfill_key(self._path(member), KEY, item), lambda _: Done()

    def _end(self, member: int) -> RepairTarget:
        return RepairTarget(self.replicas[member], self._store(member), self._keeps)

    def _path(self, target: int) -> BackfillPath:
        count = len(self.replicas)
        source, following = (target - 1) % count, (target + 1) % count
        others = [self._end(one) for one in range(count) if one not in (source, target)]
        return BackfillPath(self._end(source), self._end(target), [self._end(following)], others)

    def _record(self, number: int) -> dict[str, Any]:
        """Return a record as a stream delivers it."""
        _, member, old, new, sequence, second = self._pool.values[number]
        images = {"OldImage": self._pool.item(old), "NewImage": self._pool.item(new)}
        place = f"region-{member}:123456789012:table/t"
        expired: dict[str, Any] = {}
        if second < 0:
            expired["userIdentity"] = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
            second = -second
        return {
            **expired,
            "eventName": "REMOVE" if not new else "MODIFY" if old else "INSERT",
            "eventSource": "aws:dynamodb",
            "eventSourceARN": f"arn:aws:dynamodb:{place}/stream/2024-01-01T00:00:00.000",
            "dynamodb": {
                "StreamViewType": "NEW_AND_OLD_IMAGES",
                "Keys": KEY,
                "SequenceNumber": str(int(sequence * self._pool.scale)),
                "ApproximateCreationDateTime": START + second,
                **{name: as_json(image) for name, image in images.items() if image is not None},
            },
        }


async def _one_by_one(keys: Iterable[Awaitable[None]]) -> None:
    """Await the keys of a batch; here there is never more than one."""
    for key in keys:
        await key


@dataclass(frozen=True)
class _Shelf:
    """A Quarantine that always takes what it is given."""

    records: list[Record]

    async def put(self, lost: QuarantinedRecord) -> None:
        self.records.append(lost.record)


def _read(report: Any, records: list[dict[str, Any]], quarantined: list[Record]) -> Done:
    """Return with how many records a batch is done: the lowest number named is where it goes on."""
    numbers = [one["dynamodb"]["SequenceNumber"] for one in records]
    undone = [numbers.index(number) for number in report.unprocessed]
    failed = ", ".join(type(failure.error).__name__ for failure in report.failures)
    places = tuple(records.index(record) for record in quarantined)  # type: ignore[arg-type]
    return Done(min(undone, default=len(records)), places, failed)
