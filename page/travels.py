"""Follow each write around the ring, from the deliveries of the hops."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from local.live.recent import Delivery

SHOWN = 30
"""Writes that are shown."""
FOLLOWED = 1_000
"""Writes that are followed: many may travel at once."""
_EARLY = 300
"""Deliveries that are kept until the one before them is reported."""


@dataclass
class Travel:
    """A write that travels around the ring. Times are in seconds since 1970.

    `reached` is when it was at each member, in that order, its `origin` first. `lap` is the seconds
    until the last hop had seen it before its origin; None: not yet, or a later write replaced it.
    """

    number: int
    key: str
    action: str
    origin: str
    began: float
    reached: dict[str, float] = field(default_factory=dict)
    lap: float | None = None


class Travels:
    """The writes that travel; the latest, newest first, when iterated."""

    def __init__(self) -> None:
        self._travels: deque[Travel] = deque(maxlen=FOLLOWED)
        self._early: deque[Delivery] = deque(maxlen=_EARLY)

    def __iter__(self) -> Iterator[Travel]:
        return islice(reversed(self._travels), SHOWN)

    def add(self, delivery: Delivery) -> list[tuple[Delivery, Travel]]:
        """Add a delivery; return the deliveries whose writes are known by it, each with its write.

        A hop reports its deliveries when its whole batch is done. By then the next hop may have
        read one of them and reported its own: such a delivery is kept until the one before it
        comes. Those of a write whose beginning was not seen are never returned.
        """
        travel = self._begin(delivery) if delivery.origin == delivery.source else None
        travel = travel or self._find(delivery)
        if travel is None:
            self._early.append(delivery)
            return []
        known = [delivery]
        _go_on(travel, delivery)
        while early := next((one for one in self._early if _is_next(travel, one)), None):
            self._early.remove(early)
            _go_on(travel, early)
            known.append(early)
        return [(one, travel) for one in known]

    def _begin(self, delivery: Delivery) -> Travel:
        travel = Travel(
            delivery.number,
            delivery.key,
            delivery.action,
            delivery.source,
            delivery.read,
            {delivery.source: delivery.read},
        )
        self._travels.append(travel)
        return travel

    def _find(self, delivery: Delivery) -> Travel | None:
        """Return the newest write that a delivery is of.

        It may have replaced older ones, which then go no further.
        """
        return next((one for one in reversed(self._travels) if _is_next(one, delivery)), None)


def _is_next(travel: Travel, delivery: Delivery) -> bool:
    """Return whether a delivery is of a write's key and origin, and from where the write is on."""
    return (
        travel.key == delivery.key  # first: nearly all differ in it
        and travel.origin == delivery.origin
        and travel.lap is None
        and delivery.source in travel.reached
        and delivery.target not in travel.reached.keys() - {travel.origin}
        and delivery.read >= travel.began
    )


def _go_on(travel: Travel, delivery: Delivery) -> None:
    if delivery.target == travel.origin:
        travel.lap = delivery.at - travel.began
    else:
        travel.reached.setdefault(delivery.target, delivery.at)
