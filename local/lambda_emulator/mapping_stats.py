"""Statistics and events of an event source mapping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from local.lambda_emulator.batching import Record


class MappingObserver:
    """Called by a mapping as it works; this base class does nothing."""

    def polled(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Records were read from the stream: as boto3 returns them."""

    def invoking(self, records: int, age: float) -> None:
        """The function is about to be invoked; `age` is that of the last record, in seconds."""

    def delivered(self, records: Sequence[Record]) -> None:
        """The function has processed records, and they are not delivered again."""

    def discarded(self, records: Sequence[Record], *, delivered: bool) -> None:
        """Records were discarded; `delivered`: the failure destination took them."""


class Observers(MappingObserver):
    """Pass everything on to several observers."""

    def __init__(self, *observers: MappingObserver) -> None:
        self._observers = observers

    def polled(self, records: Sequence[Mapping[str, Any]]) -> None:
        """See `MappingObserver`."""
        for observer in self._observers:
            observer.polled(records)

    def invoking(self, records: int, age: float) -> None:
        """See `MappingObserver`."""
        for observer in self._observers:
            observer.invoking(records, age)

    def delivered(self, records: Sequence[Record]) -> None:
        """See `MappingObserver`."""
        for observer in self._observers:
            observer.delivered(records)

    def discarded(self, records: Sequence[Record], *, delivered: bool) -> None:
        """See `MappingObserver`."""
        for observer in self._observers:
            observer.discarded(records, delivered=delivered)


@dataclass(frozen=True)
class Stats:
    """Counters and state of a mapping. Times are in seconds since 1970.

    `batches` counts invocations, `failures` those that delivered less than everything; `records`
    counts delivered records, `given_up` discarded ones. `waiting` records were read and are not
    done; the first of them was created at `oldest`. `trouble` is the last error of the mapping
    itself, until it works again. `result` is Lambda's `LastProcessingResult`.
    """

    batches: int = 0
    records: int = 0
    failures: int = 0
    given_up: int = 0
    last_activity: float | None = None
    waiting: int = 0
    oldest: float | None = None
    trouble: str | None = None
    result: str = "No records processed"
