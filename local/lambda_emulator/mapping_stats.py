"""Statistics and events of an event source mapping."""

from __future__ import annotations

from dataclasses import dataclass


class MappingObserver:
    """Called by a mapping as it works; this base class does nothing."""

    def polled(self, records: int) -> None:
        """Records were read from the stream."""

    def invoking(self, records: int, age: float) -> None:
        """The function is about to be invoked; `age` is that of the last record, in seconds."""

    def discarded(self, records: int, *, delivered: bool) -> None:
        """Records were discarded; `delivered`: the failure destination took them."""


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
