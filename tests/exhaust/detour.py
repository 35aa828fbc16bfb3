"""A member that is out of the ring, and the hop around it; as `bypass` and `rejoin` have it.

While a member is out, the hop to it rests, its own goes on, and one goes around it: from the member
before it to the one behind. That begins at the beginning of its stream. So does the hop to
the member when that is back. The hop around ends at any time after both have read what was there
when the member came back; what it is at then, it does to its end.

All of it is one part of a state: ``("out", member, to, around, unread, run)``. ``to`` and
``around`` are how many records the two have yet to read until then (-1: the member is still out;
-2: the hop around reads no more); ``unread`` and ``run`` are the hop's around it.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.exhaust.pool import NONE, Pool

_IS_OUT, _ENDS = -1, -2


class Out(NamedTuple):
    """Which member is out or in transit back, and how far the hop around it is."""

    member: int
    to: int
    around: int
    unread: int
    run: int

    @property
    def is_back(self) -> bool:
        """Whether the member is in the ring again."""
        return self.to != _IS_OUT

    @property
    def may_end(self) -> bool:
        """Whether the hop around the member is needed no more."""
        return self.to == self.around == 0


class Detours:
    """Reads and changes the part that says who is out."""

    def __init__(self, pool: Pool, members: int) -> None:
        self._pool = pool
        self._members = members

    def read(self, part: int) -> Out | None:
        """Return who is out, or in transit back; None: nobody is."""
        return Out(*self._pool.values[part][1:]) if part else None

    def put(self, out: Out) -> int:
        """Return the part."""
        return self._pool.put(("out", *out))

    def before(self, out: Out) -> int:
        """Return the member at which the hop around starts."""
        return (out.member - 1) % self._members

    def ends(self, out: Out) -> tuple[int, int]:
        """Return the two members of the hop around."""
        return self.before(out), (out.member + 1) % self._members

    def taken_out(self, member: int, records: tuple[int, ...]) -> int:
        """Take a member out; ``records`` are all that the stream before it has."""
        unread = self._pool.put_list(records)
        return self.put(Out(member, _IS_OUT, _IS_OUT, unread, NONE))

    def back(self, out: Out, to: int) -> int:
        """Let a member back in; ``to`` records are to be read by the hop to it."""
        around = len(self._pool.list_of(out.unread))
        return self.put(out._replace(to=to, around=around))

    def grown(self, part: int, member: int, record: int) -> int:
        """Take note of a new record of a member's stream."""
        out = self.read(part)
        if out is None or out.to == _ENDS or self.before(out) != member:
            return part
        unread = (*self._pool.list_of(out.unread), record)
        return self.put(out._replace(unread=self._pool.put_list(unread)))

    def advanced(self, part: int, records: int) -> int:
        """Let the hop around be done with its first records."""
        out = self.read(part)
        assert out is not None
        if out.to == _ENDS:
            return NONE
        unread = self._pool.put_list(self._pool.list_of(out.unread)[records:])
        around = max(out.around - records, 0) if out.is_back else out.around
        return self.put(out._replace(unread=unread, around=around, run=NONE))

    def delivered(self, part: int, member: int, records: int) -> int:
        """Take note that a member's own hop is done with so many records."""
        out = self.read(part)
        if out is None or out.to < 0 or self.before(out) != member:
            return part
        return self.put(out._replace(to=max(out.to - records, 0)))

    def ended(self, out: Out) -> int:
        """Let the hop around read no more."""
        return self.put(Out(out.member, _ENDS, _ENDS, NONE, out.run)) if out.run else NONE

    def again(self, part: int, member: int, records: int) -> int:
        """Take note that a member's own hop reads so many records again."""
        out = self.read(part)
        if out is None or out.to < 0 or self.before(out) != member:
            return part
        return self.put(out._replace(to=out.to + records))

    def with_run(self, part: int, run: int) -> int:
        """Let the hop around have a run."""
        out = self.read(part)
        assert out is not None
        return self.put(out._replace(run=run))
