"""Version of a write: a text that orders all writes of a key, at whichever member they were made.

A version is ``seconds-counter-replica-sequence-digest``, every part of fixed width, so that
comparing two texts (which is all that a DynamoDB condition can do) compares two versions:

========  ======  ==========================================================================
part      digits  meaning
========  ======  ==========================================================================
seconds   10      the stream record's ApproximateCreationDateTime, or that of the version it
                  follows if that is later (a hybrid logical clock, so clocks may disagree)
counter   6       orders versions of one such second; overflows into the seconds
replica   8       ID of the member where the application wrote: breaks ties between members
sequence  40      the record's sequence number: orders the writes of one member
digest    16      over the item's own attributes: shows whether the item is still what a hop
                  wrote (see ``handler.model.image``)
========  ======  ==========================================================================

Sequence numbers have 21 to 40 digits:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html
"""

import re
from typing import Self

_FORM = re.compile(r"\d{10}-\d{6}-[0-9a-f]{8}-\d{40}-[0-9a-f]{16}", re.ASCII)
_COUNTERS = 1_000_000


class Version(str):
    """A version in its text form. ``<`` and ``==`` compare the text."""

    __slots__ = ()

    @classmethod
    def make(cls, seconds: int, counter: int, replica: str, sequence: int, digest: str) -> Self:
        """Make a version; a counter beyond six digits overflows into the seconds."""
        overflow, counter = divmod(counter, _COUNTERS)
        return cls(f"{seconds + overflow:010d}-{counter:06d}-{replica}-{sequence:040d}-{digest}")

    @classmethod
    def parse(cls, text: object) -> Self | None:
        """Parse a version; None: the value is no version."""
        return cls(text) if isinstance(text, str) and _FORM.fullmatch(text) else None

    @property
    def seconds(self) -> int:
        """Seconds since the epoch, by the ring's hybrid logical clock."""
        return int(self[:10])

    @property
    def counter(self) -> int:
        """Order among the versions of one second."""
        return int(self[11:17])

    @property
    def replica(self) -> str:
        """ID of the member where the write was made."""
        return self[18:26]

    @property
    def sequence(self) -> int:
        """Sequence number of the write in that member's stream."""
        return int(self[27:67])

    @property
    def digest(self) -> str:
        """Digest of the item as it was written."""
        return self[68:84]

    def is_same_write(self, other: "Version") -> bool:
        """Return whether both are versions of one write, which may get a new one when retried."""
        return self[18:67] == other[18:67]
