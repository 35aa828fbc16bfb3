"""Follow each write around the ring, from the deliveries of the hops."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from local.live.recent import Delivery

SHOWN = 30
"""Writes that are kept."""


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
    """The latest writes, newest first when iterated."""

    def __init__(self) -> None:
        self._travels: deque[Travel] = deque(maxlen=SHOWN)

    def __iter__(self) -> Iterator[Travel]:
        return reversed(self._travels)

    def add(self, delivery: Delivery) -> Travel | None:
        """Add a delivery; return its write, None if its beginning was not seen."""
        travel = self._begin(delivery) if delivery.origin == delivery.source else None
        travel = travel or self._find(delivery)
        if travel is None:
            return None
        if delivery.target == travel.origin:
            travel.lap = delivery.at - travel.began
        else:
            travel.reached.setdefault(delivery.target, delivery.at)
        return travel

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
        """Return the newest write of this key and origin that is at the source and not further.

        It may have replaced older ones, which then go no further.
        """
        for travel in self:
            if (
                (travel.key, travel.origin) == (delivery.key, delivery.origin)
                and travel.lap is None
                and delivery.source in travel.reached
                and delivery.target not in set(travel.reached) - {travel.origin}
            ):
                return travel
        return None
