"""Stream records and items as tests of the handler need them."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from handler.model.image import VERSION, Item, digest
from handler.model.version import Version

NOON = 1_700_000_000
"""When the records here were made, in seconds since the epoch."""
STREAM = "arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2023-11-14T22:13:20.000"
"""The stream that they come from."""


def record(number: int, key: str = "1", **parts: Any) -> dict[str, Any]:
    """A record as Lambda hands it over: the insert of an item, by default."""
    keys = {"k": {"S": key}}
    stream = {
        "ApproximateCreationDateTime": NOON,
        "Keys": keys,
        "NewImage": {**keys, "v": {"S": f"written by {number}"}},
        "SequenceNumber": str(number),
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    }
    return of_stream({"eventID": str(number), "dynamodb": {**stream, **parts}})


def of_stream(given: Mapping[str, Any]) -> dict[str, Any]:
    """The record with what it says of itself: its stream, and the event that its images fit."""
    old, new = (given["dynamodb"].get(name) is not None for name in ("OldImage", "NewImage"))
    name = {(False, True): "INSERT", (True, True): "MODIFY"}.get((old, new), "REMOVE")
    return {"eventName": name, "eventSource": "aws:dynamodb", "eventSourceARN": STREAM, **given}


def numbered(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records in their order, each with a number of its own."""
    numbered = [copy.deepcopy(one) for one in records]
    for number, one in enumerate(numbered, 1):
        one["dynamodb"]["SequenceNumber"] = str(number)
    return numbered


def without(whole: Mapping[str, Any], *path: str) -> dict[str, Any]:
    """A copy of a record that lacks the part at the end of the path."""
    name, *rest = path
    if rest:
        return {**whole, name: without(whole[name], *rest)}
    return {other: part for other, part in whole.items() if other != name}


def version(
    seconds: int = 500, *, replica: str = "cccccccc", sequence: int = 7, of: Item | None = None
) -> Version:
    """A version of an item as a hop makes it; without an item, one whose digest fits nothing."""
    return Version.make(seconds, 0, replica, sequence, "0" * 16 if of is None else digest(of))


def stamped(item: Item, seconds: int = 500, **origin: Any) -> dict[str, Any]:
    """An item as a hop wrote it: clean, with a version of that time."""
    return {**item, VERSION: {"B": version(seconds, of=item, **origin)}}
