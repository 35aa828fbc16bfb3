"""Read a stream late, for tests of a slow hop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from local.lambda_emulator.stream_reader import Reader


class DelayedReader:
    """A `Reader` that keeps each page back for `delay` seconds after it was read.

    `held` are the records that are kept back.
    """

    def __init__(self, reader: Reader, now: Callable[[], float]) -> None:
        self.arn = reader.arn
        self.partition_key = reader.partition_key
        self.delay = 0.0
        self.held: Sequence[Mapping[str, Any]] = ()
        self._reader = reader
        self._now = now
        self._read_at = 0.0

    def read(self) -> Sequence[Mapping[str, Any]]:
        """See `Reader`."""
        if not self.held:
            self.held = self._reader.read()
            self._read_at = self._now()
        if self._now() < self._read_at + self.delay:
            return ()
        page, self.held = self.held, ()
        return page

    @property
    def oldest(self) -> float | None:
        """When the first of the held records was created, in seconds since 1970."""
        if not self.held:
            return None
        created: float = self.held[0]["dynamodb"]["ApproximateCreationDateTime"].timestamp()
        return created
