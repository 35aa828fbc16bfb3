"""Check that records are from the hop's own stream, and that they have both images.

A record's envelope names its stream, the stream's view type and the event. If one record's envelope
is wrong, those of all records of the hop are. It is therefore a fault of the hop
(``handler.errors``): quarantined one by one, the records would empty the stream into the
quarantine, and an update with the old image alone would be taken for a delete.
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
"""Whether an event has an old image, and whether a new one."""
_UNKNOWN_CALLER = (
    "Only the event source mapping of the hop should invoke this function. Find out what else "
    "invokes it, and remove that"
)
_Problem = tuple[str, str]
"""What is wrong with a record and why, and what to do about its hop."""


class WrongStreamError(Exception):
    """A record that is not from the hop's own stream, or has not the images of its event."""

    def __init__(self, record: Record, problem: str, remedy: str) -> None:
        """Make the error for the first record with a problem: what is wrong, why, what to do."""
        super().__init__(
            f"{problem}. {remedy}. No record of the batch was applied: all stay in the stream."
        )
        self.record = record
        """The first record with the problem."""
        self.problem = problem
        """What is wrong and why, wherever the record is from."""


def check_records(records: Iterable[Record], source: ReplicaId) -> None:
    """Check that all records are changes of the source's table, with the images of their events.

    Raises:
        WrongStreamError: one is not. The problem is the hop's, not the record's.
    """
    for record in records:
        problem = _problem(record, source)
        if problem is not None:
            raise WrongStreamError(record, *problem)


def _problem(record: Any, source: ReplicaId) -> _Problem | None:
    """Describe the problem of a record's envelope; None: it has none."""
    change = record.get("dynamodb") if isinstance(record, Mapping) else None
    if not isinstance(change, Mapping) or record.get("eventSource") != _SOURCE:
        return "A record is not from a DynamoDB stream", _UNKNOWN_CALLER
    if (found := _table_of(record.get("eventSourceARN"))) != (source.region, source.table):
        return _of_another_table(record, found, source)
    if (view := change.get("StreamViewType")) != _BOTH_IMAGES:
        return _of_another_view(record, view)
    return _wrong_images(record, change) or _wrong_numbers(change)


@lru_cache(maxsize=16)
def _parse_arn(arn: str) -> tuple[str, str] | None:
    """Return region and table of a stream's ARN, ``arn:...:table/<name>/stream/<label>``."""
    parts = arn.split(":", 5)
    path = parts[-1].split("/")
    if len(parts) < 6 or len(path) < 3 or (path[0], path[2]) != ("table", "stream"):
        return None
    return parts[3], path[1]


def _table_of(arn: Any) -> tuple[str, str] | None:
    return _parse_arn(arn) if isinstance(arn, str) else None


def _of_another_table(record: Record, found: tuple[str, str] | None, source: ReplicaId) -> _Problem:
    arn = record.get("eventSourceARN")
    stream = f"the stream {arn}" if found else f"{shortened(arn)}, which is no stream's ARN"
    return (
        f"A record comes from {stream}, and this hop replicates table {source.table} in "
        f"{source.region}: a change of another table must not be written to this hop's target",
        "Delete the event source mapping that reads another stream for this function",
    )


def _of_another_view(record: Record, view: Any) -> _Problem:
    return (
        f"The stream {record['eventSourceARN']} has the view type {shortened(view)}, and a hop "
        f"needs {_BOTH_IMAGES}: without both images an update looks like a delete",
        "A stream's view type cannot be changed: disable the table's stream and enable it again "
        f"with {_BOTH_IMAGES}, give an adopted member its new `stream_arn`, run `refresh` and "
        "`up`, and then `check`, since the old stream's records are not replicated",
    )


def _wrong_images(record: Record, change: Mapping[str, Any]) -> _Problem | None:
    event = record.get("eventName")
    expected = _IMAGES.get(event) if isinstance(event, str) else None
    if expected is None:
        known = ", ".join(_IMAGES)
        return f"A record's eventName is {shortened(event)}, not one of {known}", _UNKNOWN_CALLER
    found = (change.get("OldImage") is not None, change.get("NewImage") is not None)
    if found != expected:
        return (
            f"A record's eventName is {event}, which has {_image_names(expected)}, and it has "
            f"{_image_names(found)}: its stream has not the view type {_BOTH_IMAGES}, or something "
            "changed the record",
            _UNKNOWN_CALLER,
        )
    return None if change.get("Keys") else ("A record has no Keys", _UNKNOWN_CALLER)


def _image_names(images: tuple[bool, bool]) -> str:
    pairs = zip(("OldImage", "NewImage"), images, strict=True)
    return " and ".join(name for name, is_present in pairs if is_present) or "no image"


def _wrong_numbers(change: Mapping[str, Any]) -> _Problem | None:
    """Describe the problem of the numbers that versions are made of; None: they have none."""
    for name, digits, unit in (
        ("SequenceNumber", 40, ""),
        ("ApproximateCreationDateTime", 10, " (seconds since 1970; milliseconds are too long)"),
    ):
        try:
            parse_integer(change.get(name), digits=digits)
        except (TypeError, ValueError, OverflowError):
            return (
                f"A record's {name} is {shortened(change.get(name))}, not a number of up to "
                f"{digits} digits{unit}: a version made of it would be invalid",
                _UNKNOWN_CALLER,
            )
    return None
