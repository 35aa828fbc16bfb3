"""Version of a write: bytes that order all writes of a key, at whichever member they were made.

A version is a DynamoDB value of the type Binary. Its parts follow each other, each as an unsigned
number with its highest byte first, so that comparing the bytes of two versions, which is all that a
DynamoDB condition can do, compares the versions:

========  ========  ========================================================================
part      bytes     meaning
========  ========  ========================================================================
seconds   7         the stream record's ApproximateCreationDateTime, or that of the version it
                    follows if that is later (a hybrid logical clock, so clocks may disagree);
counter             orders versions of one such second. One number has both, a million counters
                    a second, so that a counter overflows into the seconds
replica   4         ID of the member where the application wrote: breaks ties between members
sequence  1 to 18   the record's sequence number: orders the writes of one member
digest    8         over the item's own attributes: shows whether the item is still what a hop
                    wrote (see ``handler.model.image``)
========  ========  ========================================================================

The sequence number is as many bytes as it needs, after one byte with their number: the longer
number is the higher one. Where all parts before the digest are equal, it is at the same place in
both. A sequence number of 21 to 24 digits, as they are today, makes a version of 29 or 30 bytes.

DynamoDB "treats each byte of the binary data as unsigned when it compares binary values":
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExpectedAttributeValue.html

Sequence numbers have 21 to 40 digits:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html

For people, and in JSON, a version is a text: ``str(version)``, ``Version.from_text(text)``. It is
``seconds-counter-replica-sequence-digest``, with 10, 6, 8 (hexadecimal), 40 and 16 (hexadecimal)
digits, so that texts compare as their versions do.
"""

import re
from typing import Self

OPERATOR_REPLICA_ID = "ffffffff"
"""Replica ID in versions of writes chosen by an operator. Reserved: no member has it."""

_TEXT = re.compile(r"(\d{10})-(\d{6})-([0-9a-f]{8})-(\d{40})-([0-9a-f]{16})", re.ASCII)
_COUNTERS, _TIMES, _SEQUENCES = 10**6, 10**16, 10**40
_REPLICA_AT, _LENGTH_AT, _SEQUENCE_AT, _DIGEST_BYTES = 7, 11, 12, 8
_LENGTHS = {_SEQUENCE_AT + digits + _DIGEST_BYTES: digits for digits in range(18)}
"""Bytes of the sequence number by those of the version."""


class Version(bytes):
    """A version in its binary form. ``<`` and ``==`` compare the bytes; ``str`` is its text."""

    __slots__ = ()

    @classmethod
    def make(cls, seconds: int, counter: int, replica: str, sequence: int, digest: str) -> Self:
        """Make a version; a counter beyond six digits overflows into the seconds."""
        length = (sequence.bit_length() + 7) // 8
        return cls(
            ((seconds * _COUNTERS + counter) << 32 | int(replica, 16)).to_bytes(_LENGTH_AT)
            + (length << 8 * length | sequence).to_bytes(1 + length)
            + bytes.fromhex(digest)
        )

    @classmethod
    def parse(cls, value: object) -> Self | None:
        """Parse a version; None: the value is no version."""
        if not isinstance(value, bytes):
            return None
        length = _LENGTHS.get(len(value))
        if length is None or value[_LENGTH_AT] != length or (length and not value[_SEQUENCE_AT]):
            return None
        made = cls(value)
        return made if made._time < _TIMES and made.sequence < _SEQUENCES else None

    @classmethod
    def from_text(cls, text: object) -> Self | None:
        """Parse the text of a version; None: the value is none."""
        found = _TEXT.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            return None
        seconds, counter, replica, sequence, digest = found.groups()
        return cls.make(int(seconds), int(counter), replica, int(sequence), digest)

    def __str__(self) -> str:
        """Return the version's text."""
        time = f"{self.seconds:010d}-{self.counter:06d}"
        return f"{time}-{self.replica}-{self.sequence:040d}-{self.digest}"

    @property
    def _time(self) -> int:
        return int.from_bytes(self[:_REPLICA_AT])

    @property
    def seconds(self) -> int:
        """Seconds since the epoch, by the ring's hybrid logical clock."""
        return self._time // _COUNTERS

    @property
    def counter(self) -> int:
        """Order among the versions of one second."""
        return self._time % _COUNTERS

    @property
    def replica(self) -> str:
        """ID of the member where the write was made."""
        return self[_REPLICA_AT:_LENGTH_AT].hex()

    @property
    def sequence(self) -> int:
        """Sequence number of the write in that member's stream."""
        return int.from_bytes(self[_SEQUENCE_AT:-_DIGEST_BYTES])

    @property
    def digest(self) -> str:
        """Digest of the item as it was written."""
        return self[-_DIGEST_BYTES:].hex()

    def is_same_write(self, other: "Version") -> bool:
        """Return whether both are versions of one write, which may get a new one when retried."""
        return self[_REPLICA_AT:-_DIGEST_BYTES] == other[_REPLICA_AT:-_DIGEST_BYTES]

    def is_later_write(self, other: "Version") -> bool:
        """Return whether both are of one member's writes, and this one's was made after."""
        return self.replica == other.replica and self.sequence > other.sequence
