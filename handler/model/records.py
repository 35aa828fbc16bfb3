"""Parse stream records, in the JSON form in which Lambda delivers them, into changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handler.model.attribute_values import from_json
from handler.model.image import Image, Item, Key

# Principal that deletes an item whose time to live has passed:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
_TIME_TO_LIVE = "dynamodb.amazonaws.com"

Record = Mapping[str, Any]


class UnreadableRecordError(Exception):
    """A record whose contents cannot be parsed. Its envelope is checked by ``handler.envelope``."""


@dataclass(frozen=True)
class Change:
    """One change of one item of a table."""

    key: Key
    old: Image | None
    new: Image | None
    sequence: int
    """Sequence number in the table's stream; larger is later among the changes of one key."""
    seconds: int
    """Time of the change by the clock of the table's region, in whole seconds since the epoch."""
    expired: bool
    """Whether DynamoDB deleted the item because its time to live had passed."""

    def __post_init__(self) -> None:
        """Reject what is no change of one item."""
        if self.old is None and self.new is None:
            raise UnreadableRecordError("the record has neither image")
        if not self.key:
            raise UnreadableRecordError("the record names no key")
        for image in (self.old, self.new):
            if image is not None and not self.key.items() <= image.item.items():
                raise UnreadableRecordError("the record has an image of another key")


def read_change(record: Record) -> Change:
    """Parse a record into its change.

    Raises:
        UnreadableRecordError: a part of the record is missing or malformed.
    """
    try:
        stream = record["dynamodb"]
        return Change(
            key=read_item(stream["Keys"]),
            old=_image(stream.get("OldImage")),
            new=_image(stream.get("NewImage")),
            sequence=parse_integer(stream["SequenceNumber"], digits=40),
            seconds=parse_integer(stream["ApproximateCreationDateTime"], digits=10),
            expired=(record.get("userIdentity") or {}).get("principalId") == _TIME_TO_LIVE,
        )
    except (
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise UnreadableRecordError(f"{type(error).__name__}: {error}") from error


def parse_integer(number: Any, *, digits: int) -> int:
    """Parse a whole number that fits its fixed-width part of a version.

    Raises:
        TypeError, ValueError, OverflowError: it is no such number.
    """
    whole = int(number)
    if not 0 <= whole < 10**digits:
        raise ValueError(f"{number!r} is not a number of up to {digits} digits")
    return whole


def _image(document: Mapping[str, Any] | None) -> Image | None:
    return None if document is None else Image(read_item(document))


def read_item(document: Mapping[str, Any]) -> Item:
    """Convert an item, or a key, from a record's JSON, where binary is base64 text.

    Raises:
        ValueError, TypeError, AttributeError: it is no item.
    """
    return {name: from_json(value) for name, value in document.items()}
