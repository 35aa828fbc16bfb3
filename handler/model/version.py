"""The version of a write: one text that orders all writes of a key, wherever they were made.

A version is ``seconds-counter-replica-sequence-digest``, every part of fixed width, so that
comparing two texts (which is all that a DynamoDB condition can do) compares two versions:

========  ======  ==========================================================================
part      digits  meaning
========  ======  ==========================================================================
seconds   10      the stream record's ApproximateCreationDateTime, or that of the version it
                  follows if that is later (a hybrid logical clock, so clocks may disagree)
counter   6       orders versions of one such second; carries into the seconds
replica   8       id of the member where the application wrote: breaks ties between members
sequence  40      the record's sequence number: orders the writes of one member
digest    16      over the item's own attributes: tells whether the item is still what a hop
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
    """A version in its text form; ``<`` and ``==`` are those of the text."""

    __slots__ = ()

    @classmethod
    def make(cls, seconds: int, counter: int, replica: str, sequence: int, digest: str) -> Self:
        """Put a version together; a counter past its six digits carries into the seconds."""
        carry, counter = divmod(counter, _COUNTERS)
        return cls(f"{seconds + carry:010d}-{counter:06d}-{replica}-{sequence:040d}-{digest}")

    @classmethod
    def parse(cls, text: object) -> Self | None:
        """The version that a text holds, or None if it is none (nobody may make versions up)."""
        return cls(text) if isinstance(text, str) and _FORM.fullmatch(text) else None

    @property
    def seconds(self) -> int:
        """Seconds since the epoch, of the clock that the ring as a whole has reached."""
        return int(self[:10])

    @property
    def counter(self) -> int:
        """Place among the versions of one second."""
        return int(self[11:17])

    @property
    def replica(self) -> str:
        """Id of the member where the write was made."""
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
        """Whether both are versions of one write, which may get another when it is retried."""
        return self[18:67] == other[18:67]
