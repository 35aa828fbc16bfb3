"""What a member's table may hold next: ``tests.simulation.check`` over parts of a state.

Notes are ``("notes", member, last, opened, stood, before)``: see ``check.Notes``. What can never
matter again is dropped from them, so that states do not differ by it.
"""

from __future__ import annotations

from typing import Any

from handler.model.image import Item
from handler.protocol.decide import ReplicaId
from tests.exhaust.pool import BITS, MEMBER, NONE, Pool, bit
from tests.simulation.check import LastWrites, Notes, Origin
from tests.simulation.member import Member

_NAME = "k0"
_OPERATOR = -1


class Watch:
    """Keeps the notes of all members; each step of them is worked out once."""

    def __init__(self, pool: Pool, replicas: list[ReplicaId]) -> None:
        self._pool = pool
        self._replicas = replicas
        self._places = {replica.id: place for place, replica in enumerate(replicas)}
        self._steps: dict[Any, tuple[int, str | None]] = {}
        self._pruned: dict[Any, int] = {}

    def wrote(self, notes: int, member: int, record: int, read: int) -> int:
        """Note an application's write; ``read`` is the last record that the hop has read."""
        return self._step(notes, member, record, ("wrote", read))[0]

    def conflict(self, notes: int, member: int, record: int) -> int:
        """Expect nothing until the member's hop has read the record."""
        return self._step(notes, member, record, ("conflict", 0))[0]

    def see(self, notes: int, member: int, record: int, caller: int) -> tuple[int, str | None]:
        """Note a hop's write by its record, and say what it broke."""
        return self._step(notes, member, record, ("see", caller))

    def _step(
        self, notes: int, member: int, record: int, what: tuple[str, int]
    ) -> tuple[int, str | None]:
        key = (notes, member, record, what)
        found = self._steps.get(key)
        if found is None:
            found = self._steps[key] = self._stepped(notes, member, record, *what)
        return found

    def _stepped(
        self, notes: int, member: int, record: int, what: str, number: int
    ) -> tuple[int, str | None]:
        _, _, old, new, sequence, _ = self._pool.values[record]
        here = self._member(member, sequence, self._pool.item(new, 1))
        watch = LastWrites(lambda _: number)
        place = (here.name, _NAME)
        watch.take_up(place, self._read(notes))
        match what:
            case "wrote":
                watch.wrote(here, _NAME)
            case "conflict":
                watch.conflict(here, _NAME)
            case _:
                put = self._pool.item(new, 1)
                assert put is not None
                caller = here if number == member else self._member(number, 0, None)
                watch.see(here, self._pool.item(old, 1), put, caller)
        return self._put(member, watch.noted(place)), watch.broken

    def _member(self, member: int, sequence: int, item: Item | None) -> Member:
        made = Member(self._replicas[member], lambda: 0, stream=[{}] * sequence)
        if item is not None:
            made.items[_NAME] = item
        return made

    def _read(self, notes: int) -> Notes:
        if not notes:
            return Notes()
        _, _, last, opened, *sets = self._pool.values[notes]
        return Notes(last, opened, *(frozenset(map(self._origin, names)) for names in sets))

    def _put(self, member: int, notes: Notes) -> int:
        sets = (tuple(sorted(map(self._name, one))) for one in (notes.stood, notes.before))
        return self._kept(member, notes.last, notes.opened, *sets)

    def _kept(
        self, member: int, last: int, opened: int, stood: tuple[int, ...], before: tuple[int, ...]
    ) -> int:
        if not (last or opened or stood or before):
            return NONE
        return self._pool.put(("notes", member, last, opened, stood, before))

    def _origin(self, name: int) -> Origin:
        if name < MEMBER:
            return ("", 0) if name == 0 else ("ffffffff", 0)
        return self._replicas[name // MEMBER - 1].id, name % MEMBER

    def _name(self, origin: Origin) -> int:
        replica, sequence = origin
        if replica not in self._places:
            return _OPERATOR if replica else 0
        return (self._places[replica] + 1) * MEMBER + sequence

    def prune(self, notes: int, live: int, first: int) -> int:
        """Drop what does not matter any more.

        Args:
            notes: the notes.
            live: the records that the rest of the state names, as bits. What has no name there
                cannot be put anywhere any more.
            first: the first record of the member that its hop has not read; 0: it has read all.
        """
        key = (notes, live, first)
        found = self._pruned.get(key)
        if found is None:
            found = self._pruned[key] = self._prune(live, first, self._pool.values[notes])
        return found

    def _prune(self, live: int, first: int, value: Any) -> int:
        _, member, last, opened, stood, before = value
        own = live >> member * BITS & (1 << BITS) - 1
        has_older = bool(own & (1 << last) - 1)
        is_open = 0 < first <= opened
        sets = (
            tuple(name for name in names if name < 0 or (name >= MEMBER and live & bit(name)))
            for names in (stood, before)
        )
        return self._kept(member, last * has_older, opened * is_open, *sets)
