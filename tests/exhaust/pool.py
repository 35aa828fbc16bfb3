"""Parts of a state as small numbers: equal parts have the same number, and can be renamed.

A state of the ring is a tuple of such numbers, so it is copied, compared and hashed at no cost.
What only its name or its order distinguishes (a content that an application wrote, a record's
number in its stream) is a *name*: a state whose names differ from another's, but are in the same
order, is the same state. Names are numbers too: below ``MEMBER`` a content, above it
a record of a member.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from handler.model.image import (
    DELETED,
    KNOWN_AT,
    SOURCE_REGION,
    SOURCE_TABLE,
    VERSION,
    Item,
)
from handler.model.version import OPERATOR_REPLICA_ID, Version
from tests.exhaust.contents import Contents

START = 1_700_000_000
"""Second 0 of a scope."""
MEMBER = 1_000
"""Record 3 of member 1 has the name 2 * MEMBER + 3."""
BITS = 64
"""The most records of a member that a state can distinguish."""
SCALE = 10**30
"""What a record's number is multiplied by where the handler sees it: there is room between two."""
NONE = 0
"""The number of nothing: no item, no tombstone, no records, no invocation."""

Names = tuple[int, ...]


def record_name(member: int, sequence: int) -> int:
    """Return the name of a member's record."""
    return (member + 1) * MEMBER + sequence


def bit(name: int) -> int:
    """Return the bit of a record's name."""
    member, sequence = divmod(name, MEMBER)
    assert sequence < BITS, "more records of a member than a state can distinguish"
    return 1 << (member - 1) * BITS + sequence


class Renaming:
    """New names for old ones, and what parts became by them."""

    def __init__(self, names: dict[int, int]) -> None:
        self.names = names
        self.parts: dict[int, int] = {}


class Pool:
    """All parts that any state has, each once.

    A part is a tuple that begins with its kind:

    - ``item``: content, version, region of its origin, whether it is marked as deleted, known at
    - ``version``: second, counter, member (-1: an operator), record, content
    - ``record``: member, old item, new item, number, second (negative: the item expired)
    - ``list``: parts
    - ``answer``: what a store call answered, and the item in it
    - ``run``: a coroutine of the handler by what it was given: kind, member, parts, answers
    - ``notes``: see ``tests.exhaust.notes``
    - ``wanted``: the content that all members must have in the end (0: none)
    - ``out``: see ``tests.exhaust.detour``
    - anything else has no names
    """

    def __init__(self, ids: tuple[str, ...], scale: int = SCALE, digests: int = 0) -> None:
        """Take the members' ids, in the order of the ring.

        Args:
            ids: the members' ids.
            digests: see ``Contents``.
            scale: what a record's number is multiplied by where the handler sees it.
        """
        self.scale = scale
        self.kinds = Contents(digests)
        self._ids = {-1: OPERATOR_REPLICA_ID, **dict(enumerate(ids))}
        self._members = {one: member for member, one in self._ids.items()}
        self.values: list[Any] = [None]
        self.names: list[Names] = [()]
        self.contents: list[Names] = [()]
        """The contents among a part's names, in their order."""
        self.masks: list[int] = [0]
        """The records among a part's names, as bits; see ``bit``."""
        self.rename_run: Callable[[int, Renaming], int] = lambda run, _: run
        """Gives a run other names; see ``Invocations``."""
        self._numbers: dict[Any, int] = {}
        self._items: dict[tuple[int, int], Item] = {}
        self._renamings: dict[tuple[int, Names], Renaming | None] = {}

    def put(self, value: Any, known: Names | None = None) -> int:
        """Return the number of a part; ``known`` are those of its names that can still matter."""
        number = self._numbers.get(value)
        if number is None:
            number = self._numbers[value] = len(self.values)
            self.values.append(value)
            names = tuple(dict.fromkeys(self.names_in(value) if known is None else known))
            self.names.append(names)
            self.contents.append(tuple(name for name in names if name < MEMBER))
            self.masks.append(sum(bit(name) for name in names if name >= MEMBER and name % 1 == 0))
        return number

    def put_list(self, parts: tuple[int, ...]) -> int:
        """Return the number of a list of parts; an empty one is nothing."""
        return self.put(("list", parts)) if parts else NONE

    def list_of(self, number: int) -> tuple[int, ...]:
        """Return the parts of a list."""
        parts: tuple[int, ...] = self.values[number][1] if number else ()
        return parts

    def names_in(self, value: Any) -> list[int]:  # noqa: C901, PLR0911 - a line for each kind
        names = self.names
        match value:
            case ("item", number, version, _, _, _):
                return [*([number] if number else []), *names[version]]
            case ("version", _, _, member, sequence, _, number):
                named = [record_name(member, sequence)] if member >= 0 and sequence else []
                return named + ([number] if number else [])
            case ("record", member, old, new, sequence, _):
                return [record_name(member, sequence), *names[old], *names[new]]
            case ("list", parts):
                return [name for part in parts for name in names[part]]
            case ("answer", _, item):
                return [*names[item]]
            case ("run", _, _, parts, answers):
                return [name for part in (*parts, *answers) for name in names[part]]
            case ("notes", member, last, opened, stood, before):
                own = [record_name(member, one) for one in (last, opened) if one]
                return own + [name for name in (*stood, *before) if name % MEMBER and name > 0]
            case ("wanted", number):
                return [number] if number else []
            case ("out", _, _, _, unread, run):
                return [*names[unread], *names[run]]
        return []

    def spelled(self, part: int) -> Any:
        """Return a part with the parts in it spelled out, so that two pools' can be compared."""
        value = self.values[part]
        match value:
            case ("item", number, version, *rest):
                return ("item", number, self.spelled(version), *rest)
            case ("record", member, old, new, *rest):
                return ("record", member, self.spelled(old), self.spelled(new), *rest)
            case ("list", parts):
                return tuple(map(self.spelled, parts))
        return value

    # -- renaming -----------------------------------------------------------------------------

    def renaming(self, mask: int, contents: Names) -> Renaming | None:
        """Return what the names of a state become: contents as they come, records by their order.

        None: all names are what they should be.
        """
        key = (mask, contents)
        try:
            return self._renamings[key]
        except KeyError:
            made = {name: place + 1 for place, name in enumerate(contents)} | _in_order(mask)
            new = None if all(old == name for old, name in made.items()) else Renaming(made)
            self._renamings[key] = new
            return new

    def renamed(self, part: int, by: Renaming) -> int:
        """Return a part under other names."""
        found = by.parts.get(part)
        if found is None:
            found = by.parts[part] = self._renamed(part, by)
        return found

    def _renamed(self, part: int, by: Renaming) -> int:  # noqa: C901 - a line for each kind
        new = by.names
        if all(new[name] == name for name in self.names[part]):
            return part
        value: Any = self.values[part]
        match value:
            case ("item", number, version, *rest):
                value = ("item", new.get(number, 0), self.renamed(version, by), *rest)
            case ("version", second, counter, member, sequence, after, number):
                sequence, number = _record(member, sequence, new), new.get(number, 0)
                value = ("version", second, counter, member, sequence, after, number)
            case ("record", member, old, late, sequence, second):
                old, late = self.renamed(old, by), self.renamed(late, by)
                value = ("record", member, old, late, _record(member, sequence, new), second)
            case ("list", parts):
                value = ("list", tuple(self.renamed(one, by) for one in parts))
            case ("answer", kind, item):
                value = ("answer", kind, self.renamed(item, by))
            case ("run", *_):
                return self.rename_run(part, by)
            case ("notes", member, last, opened, stood, before):
                last, opened = _record(member, last, new), _record(member, opened, new)
                sets = (tuple(sorted(new.get(n, n) for n in names)) for names in (stood, before))
                value = ("notes", member, last, opened, *sets)
            case ("wanted", number):
                value = ("wanted", new[number])
            case ("out", *rest, unread, run):
                value = ("out", *rest, self.renamed(unread, by), self.renamed(run, by))
        return self.put(value)

    # -- items --------------------------------------------------------------------------------

    def item(self, number: int, scale: int = 0) -> Item | None:
        """Return an item as the handler sees it; with another scale, as a person may."""
        if not number:
            return None
        scale = scale or self.scale
        found = self._items.get((number, scale))
        if found is None:
            found = self._items[number, scale] = self._item(scale, self.values[number])
        return found

    def _item(self, scale: int, value: Any) -> Item:
        _, number, version, region, deleted, known = value
        item = self.kinds.item(number)
        if version:
            item |= {
                SOURCE_REGION: {"S": region},
                SOURCE_TABLE: {"S": "t"},
                VERSION: {"B": self._version(scale, self.values[version])},
            }
        if deleted:
            item[DELETED] = {"BOOL": True}
        if known:
            item[KNOWN_AT] = {"SS": list(known)}
        return item

    def _version(self, scale: int, value: Any) -> Version:
        _, second, counter, member, sequence, after, of = value
        number = int(sequence * scale) + after
        return Version.make(
            START + second, counter, self._ids[member], number, self.kinds.digests[of]
        )

    def put_item(self, item: Item | None) -> int:
        """Return the number of an item."""
        if item is None:
            return NONE
        number = self.kinds.of(item)
        region = item.get(SOURCE_REGION, {}).get("S", "")
        known = tuple(sorted(item.get(KNOWN_AT, {}).get("SS", ())))
        version = self._put_version(item.get(VERSION, {}).get("B"))
        return self.put(("item", number, version, region, DELETED in item, known))

    def names_of(self, known: str | Version) -> Names:
        """Return the names in a version, or in the text of a content or of its digest."""
        if isinstance(known, Version):
            return self.names[self._put_version(known)]
        content = self.kinds.of_text(known)
        return (content,) if content else ()

    def _put_version(self, value: bytes | None) -> int:
        version = Version.parse(value)
        if version is None:
            return NONE
        member, second = self._members[version.replica], version.seconds - START
        # A backfill numbers an item right after the record of a delete.
        after = 1 if version.sequence % self.scale == 1 else 0
        sequence = Fraction(version.sequence - after, self.scale)
        number = int(sequence) if sequence.denominator == 1 else sequence
        of = self.kinds.of_digest[version.digest]
        return self.put(("version", second, version.counter, member, number, after, of))


def _record(member: int, sequence: int, new: dict[int, int]) -> int:
    if not sequence or member < 0:
        return sequence
    return new[record_name(member, sequence)] % MEMBER


def _in_order(mask: int) -> dict[int, int]:
    made: dict[int, int] = {}
    for member in range(mask.bit_length() // BITS + 1):
        records = mask >> member * BITS & (1 << BITS) - 1
        numbers = [number for number in range(BITS) if records >> number & 1]
        for place, number in enumerate(numbers):
            made[record_name(member, number)] = record_name(member, place + 1)
    return made
