"""Every answer to a request for two keys: each key gets what a call of its own would get.

The keys of a batch meet nowhere but in requests that are made for several of them
(``handler.store.batching``). If a key's call there is answered as a call for it alone would be, or
fails, with all of its effect or none, then what happens to a key among others is a schedule of this
key alone, with a call that was throttled or timed out; and all of those are tried in scopes of one
key. So here each call of one key is made together with each of another, over everything that can
stand there, and every part of the request is done, left out, or done without an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from botocore.exceptions import ClientError

from handler.model.image import (
    DELETED,
    SOURCE_REGION,
    SOURCE_TABLE,
    VERSION,
    Item,
    Key,
    Write,
    digest,
)
from handler.model.version import Version
from handler.protocol.decide import ReplicaId
from handler.store.dynamodb import IfOlder, Store
from tests.simulation.batches import SimulatedBatchingStore
from tests.simulation.member import Member, SimulatedStore

OTHERWISE = "a key among others is answered otherwise than alone"
_MOST_TROUBLES = 2
_ID = "00000000"


class Answers:
    """Which parts of a request are left out, lost, or fail: one row of decisions after another."""

    def __init__(self) -> None:
        self._decisions: list[bool] = []
        self._made = 0

    def decide(self) -> bool:
        """Return whether the next thing goes wrong."""
        if self._made == len(self._decisions):
            self._decisions.append(False)
        self._made += 1
        return self._decisions[self._made - 1]

    def fail(self, _: str) -> None:
        """Let a call fail, before its effect or after it."""
        if self.decide():
            raise OSError("the simulated DynamoDB refuses or loses a call")

    def next_row(self) -> bool:
        """Go on to the next row; false if there is none. No row has more than a few troubles."""
        del self._decisions[self._made :]
        self._made = 0
        while self._decisions:
            if not self._decisions.pop() and sum(self._decisions) < _MOST_TROUBLES:
                self._decisions.append(True)
                return True
        return False


@dataclass(frozen=True)
class _Kind:
    """A call, by its name."""

    name: str
    make: Callable[[Store, Key], Any]


def _write(key: Key, second: int, *, deletes: bool = False) -> Write:
    content: Item = key if deletes else {**key, "v": {"N": str(second)}}
    version = Version.make(second, 0, _ID, 1, digest(content))
    mark: Item = {DELETED: {"BOOL": True}} if deletes else {}
    place: Item = {SOURCE_REGION: {"S": "region-0"}, SOURCE_TABLE: {"S": "t"}}
    return Write(version, {**content, **mark, **place, VERSION: {"B": version}}, deletes)


def _copy(key: Key, second: int) -> Item:
    return _write(key, second).item


def _delete(key: Key, second: int) -> Write:
    return _write(key, second, deletes=True)


def _put(store: Store, key: Key, write: Write) -> Any:
    return store.put(key, write.item, IfOlder(write.version))


_KINDS = [
    _Kind("create", lambda store, key: _put(store, key, _write(key, 2))),
    _Kind("stub", lambda store, key: _put(store, key, _delete(key, 2))),
    _Kind("delete the stub", lambda store, key: store.delete_stub(key, _delete(key, 2).version)),
    _Kind("read the tombstone", lambda store, key: store.get_tombstone(key)),
    _Kind("record the tombstone", lambda store, key: store.put_tombstone(key, _delete(key, 2))),
]
_ITEMS: list[Callable[[Key], Item | None]] = [
    lambda _: None,
    lambda key: {**key, "v": {"N": "9"}},
    lambda key: _copy(key, 1),
    lambda key: _copy(key, 3),
    lambda key: _delete(key, 2).item,
]
_TOMBSTONES: list[Callable[[Key], Write | None]] = [
    lambda _: None,
    lambda key: _delete(key, 1),
    lambda key: _delete(key, 3),
]
Start = tuple[_Kind, Callable[[Key], Item | None], Callable[[Key], Write | None]]
Seen = tuple[Any, Item | None, Write | None]
"""What a call was answered, and what stands there then."""


@dataclass
class Checked:
    """How many answers there were, and the first of which a key got something else."""

    answers: int = 0
    failed: str | None = None


def check() -> Checked:
    """Make every request for two keys, and give it every answer."""
    checked = Checked()
    every = [start for start in product(_KINDS, _ITEMS, _TOMBSTONES) if _matters(start)]
    for pair in product(every, every):
        answers, has_more = Answers(), True
        while has_more:
            checked.answers += 1
            for start, name, seen in zip(pair, ("k0", "k1"), _seen(pair, answers), strict=True):
                wrong = _wrong(start, {"k": {"S": name}}, seen)
                if wrong and checked.failed is None:
                    checked.failed = wrong
            has_more = answers.next_row()
    return checked


def _matters(start: Start) -> bool:
    """Whether a call looks at what is varied."""
    kind, item, tombstone = start
    if kind.name.endswith("the tombstone"):
        return item is _ITEMS[0]
    return tombstone is _TOMBSTONES[0]


def _prepared(pair: tuple[Start, ...]) -> Member:
    member = Member(ReplicaId(_ID, "region-0", "t"), lambda: 0)
    for place, (_, item, tombstone) in enumerate(pair):
        key = {"k": {"S": f"k{place}"}}
        standing, kept = item(key), tombstone(key)
        if standing is not None:
            member.items[f"k{place}"] = standing
        if kept is not None:
            member.tombstones[f"k{place}"] = kept
    return member


def _seen(pair: tuple[Start, ...], answers: Answers) -> list[Seen]:
    """Make two calls in one request; return what each key saw of it."""
    member = _prepared(pair)
    store = SimulatedBatchingStore(
        member, answers.decide, keeps_tombstones=True, trouble=answers.fail
    )
    outcomes: dict[str, Any] = {}

    async def call(kind: _Kind, name: str) -> None:
        try:
            outcomes[name] = await kind.make(store, {"k": {"S": name}})
        except (OSError, ClientError) as error:
            outcomes[name] = error

    running = [call(start[0], f"k{place}") for place, start in enumerate(pair)]
    while running:
        running = [one for one in running if _goes_on(one)]
    return [
        (outcomes[name], member.items.get(name), member.tombstones.get(name))
        for name in ("k0", "k1")
    ]


def _goes_on(coroutine: Any) -> bool:
    try:
        coroutine.send(None)
    except StopIteration:
        return False
    return True


def _wrong(start: Start, key: Key, seen: Seen) -> str | None:
    """Return what a key got other than it would have by a call of its own."""
    kind, item, tombstone = start
    outcome, standing, kept = seen
    before = (item(key), tombstone(key))
    alone = _alone(start, key)
    if isinstance(outcome, Exception):
        is_right = (standing, kept) in (before, alone[1:])
    else:
        is_right = seen == alone
    return (
        None if is_right else f"{OTHERWISE}: {kind.name} over {before}: {seen}, and alone {alone}"
    )


def _alone(start: Start, key: Key) -> Seen:
    member = Member(ReplicaId(_ID, "region-0", "t"), lambda: 0)
    name = key["k"]["S"]
    standing, kept = start[1](key), start[2](key)
    member.items |= {} if standing is None else {name: standing}
    member.tombstones |= {} if kept is None else {name: kept}
    outcome: list[Any] = []

    async def call() -> None:
        store = SimulatedStore(member, keeps_tombstones=True)
        outcome.append(await start[0].make(store, key))

    made: Iterator[Any] | Any = call()
    while _goes_on(made):
        pass
    return outcome[0], member.items.get(name), member.tombstones.get(name)
