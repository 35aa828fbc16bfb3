"""Generate batches of records of local writes, as in a Lambda event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from handler.model.image import SOURCE_REGION, SOURCE_TABLE, VERSION, digest
from handler.model.version import Version
from tests.simulation.stream_json import as_json

Record = dict[str, Any]
NOON = 1_700_000_000
"""When the records were made, in seconds since the epoch."""
ELSEWHERE = "cccccccc"
"""The origin of replicated writes: a member that is neither end of the hop."""
STREAM = "arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2023-11-14T22:13:20.000"
"""ARN of the records' stream."""
HOT = 100
"""Number of changes per key among hot keys."""


@dataclass(frozen=True)
class Load:
    """A batch: kind of records, size of the items in bytes, and number of records."""

    kind: str = "inserts"
    size: int = 200
    count: int = 10_000

    def records(self) -> list[Record]:
        """Return the records."""
        make = KINDS[self.kind]
        return [make(number, self.size) for number in range(1, self.count + 1)]


def _insert(number: int, size: int) -> Record:
    return _record(number, new=_item(number, number, size))


def _update(number: int, size: int) -> Record:
    return _record(number, old=_item(number, 0, size), new=_item(number, number, size))


def _delete(number: int, size: int) -> Record:
    return _record(number, old=_item(number, 0, size))


def _hot(number: int, size: int) -> Record:
    key = number // HOT
    return _record(number, old=_item(key, number - 1, size), new=_item(key, number, size))


def _arrival(number: int, size: int) -> Record:
    """Return a replicated write. boto3 encodes its version, which is base64 text, once more."""
    return _record(number, new=_stamped(_item(number, number, size), number))


def _mixed(number: int, size: int) -> Record:
    """Return one of six updates, three inserts and a delete in ten."""
    make = {0: _delete, 1: _insert, 2: _insert, 3: _insert}.get(number % 10, _update)
    return make(number, size)


KINDS: dict[str, Callable[[int, int], Record]] = {
    "inserts": _insert,
    "inserts, arrived": _arrival,
    "updates": _update,
    "deletes": _delete,
    "hot keys": _hot,
    "mixed": _mixed,
}


def _item(key: int, value: int, size: int) -> dict[str, Any]:
    """Return an item with ten attributes."""
    parts = {f"part{part}": {"S": "x" * max(1, size // 10 - 6)} for part in range(6)}
    variables = {"total": {"N": str(value)}, "open": {"BOOL": True}, "tags": {"SS": ["a", "b"]}}
    return {
        "k": {"S": f"customer-{key:012d}"},
        **variables,
        **parts,
        "more": {"S": "x" * (size // 3)},
    }


def _stamped(item: dict[str, Any], number: int) -> dict[str, Any]:
    origin = {SOURCE_REGION: {"S": "sa-east-1"}, SOURCE_TABLE: {"S": "orders"}}
    version = Version.make(NOON, 0, ELSEWHERE, number, digest(item))
    return {**item, **origin, VERSION: {"B": version}}


def _record(number: int, old: Any = None, new: Any = None) -> Record:
    images = {"OldImage": old, "NewImage": new}
    return {
        "eventID": str(number),
        "eventName": "REMOVE" if new is None else "INSERT" if old is None else "MODIFY",
        "eventSource": "aws:dynamodb",
        "eventSourceARN": STREAM,
        "dynamodb": {
            "ApproximateCreationDateTime": NOON,
            "Keys": {"k": (new or old)["k"]},
            "SequenceNumber": f"{number:021d}",
            "StreamViewType": "NEW_AND_OLD_IMAGES",
            **{name: as_json(image) for name, image in images.items() if image is not None},
        },
    }
