"""Check that records come from the hop's own stream, and that this stream holds both images.

A record says what it is: its source, its stream's view type, and what happened to the item. If that
is wrong with one record, it is wrong with every record of the hop. It is therefore a fault of the
hop (``handler.errors``): set aside one by one, the records would empty the stream into the
quarantine, and an update of which only the old image came would be taken for a delete.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Record.html
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from reprlib import repr as shortened
from typing import Any

from handler.model.records import Record, parse_integer
from handler.protocol.decide import ReplicaId

_SOURCE = "aws:dynamodb"
_BOTH_IMAGES = "NEW_AND_OLD_IMAGES"
_IMAGES = {"INSERT": (False, True), "MODIFY": (True, True), "REMOVE": (True, False)}
"""Whether an event has an old image, and a new one."""
_STRANGER = (
    "Only the event source mapping of the hop should call this function. Find out what else calls "
    "it, and remove that"
)


class WrongStreamError(Exception):
    """A record that the hop's own stream, with both images, does not deliver."""

    def __init__(self, record: Record, what: str) -> None:
        """Say what is wrong, and why, and what to do."""
        super().__init__(f"{what}. Nothing of the batch was applied: all of it stays where it is.")
        self.record = record
        """The first record in which it shows."""


def check_records(records: Iterable[Record], here: ReplicaId) -> None:
    """Check that all records are changes of the table ``here``, with the images that they need.

    Raises:
        WrongStreamError: one is not. That is wrong with the hop, not with the record.
    """
    for record in records:
        what = _mistake(record, here)
        if what is not None:
            raise WrongStreamError(record, what)


def _mistake(record: Any, here: ReplicaId) -> str | None:
    """Return what is wrong with a record's envelope, in words; None: nothing."""
    change = record.get("dynamodb") if isinstance(record, Mapping) else None
    if not isinstance(change, Mapping) or record.get("eventSource") != _SOURCE:
        return f"A record is no record of a DynamoDB stream. {_STRANGER}"
    if (found := _table_of(record.get("eventSourceARN"))) != (here.region, here.table):
        return _of_another_table(record, found, here)
    if (view := change.get("StreamViewType")) != _BOTH_IMAGES:
        return _of_another_view(record, view)
    return _wrong_images(record, change) or _wrong_numbers(change)


@lru_cache(maxsize=16)
def _of_arn(arn: str) -> tuple[str, str] | None:
    """Return region and table of a stream's ARN, ``arn:...:table/<name>/stream/<label>``."""
    parts = arn.split(":", 5)
    place = parts[-1].split("/")
    if len(parts) < 6 or len(place) < 3 or (place[0], place[2]) != ("table", "stream"):
        return None
    return parts[3], place[1]


def _table_of(arn: Any) -> tuple[str, str] | None:
    return _of_arn(arn) if isinstance(arn, str) else None


def _of_another_table(record: Record, found: tuple[str, str] | None, here: ReplicaId) -> str:
    arn = record.get("eventSourceARN")
    source = f"the stream {arn}" if found else f"{shortened(arn)}, which is no stream's ARN"
    return (
        f"A record comes from {source}, and this hop replicates table {here.table} in "
        f"{here.region}: a change of another table must not be written to this hop's target. "
        "Delete the event source mapping that reads another stream for this function"
    )


def _of_another_view(record: Record, view: Any) -> str:
    return (
        f"The stream {record['eventSourceARN']} has the view type {shortened(view)}, and a hop "
        f"needs {_BOTH_IMAGES}: without both images it cannot tell an update from a delete. A "
        "stream's view type cannot be changed: disable the table's stream and enable it again with "
        f"{_BOTH_IMAGES}, give an adopted member its new `stream_arn`, run `refresh` and `up`, and "
        "then `check`, since the old stream's records are not replicated"
    )


def _wrong_images(record: Record, change: Mapping[str, Any]) -> str | None:
    event = record.get("eventName")
    wanted = _IMAGES.get(event) if isinstance(event, str) else None
    if wanted is None:
        known = ", ".join(_IMAGES)
        return f"A record's eventName is {shortened(event)}, not one of {known}. {_STRANGER}"
    found = (change.get("OldImage") is not None, change.get("NewImage") is not None)
    if found != wanted:
        return (
            f"A record's eventName is {event}, which has {_named(wanted)}, and it has "
            f"{_named(found)}: its stream is not one with {_BOTH_IMAGES}, or something changed the "
            f"record on its way. {_STRANGER}"
        )
    return None if change.get("Keys") else f"A record has no Keys. {_STRANGER}"


def _named(images: tuple[bool, bool]) -> str:
    pairs = zip(("OldImage", "NewImage"), images, strict=True)
    return " and ".join(name for name, is_there in pairs if is_there) or "no image"


def _wrong_numbers(change: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the numbers that go into versions."""
    for name, digits, unit in (
        ("SequenceNumber", 40, ""),
        ("ApproximateCreationDateTime", 10, " (seconds since 1970; milliseconds are too long)"),
    ):
        try:
            parse_integer(change.get(name), digits=digits)
        except (TypeError, ValueError, OverflowError):
            return (
                f"A record's {name} is {shortened(change.get(name))}, not a number of up to "
                f"{digits} digits{unit}: versions made of it would be none. {_STRANGER}"
            )
    return None
