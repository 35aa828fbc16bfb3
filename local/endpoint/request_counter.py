"""What was asked of the tables: DynamoDB requests by region, table and operation."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"})
"""The operations that write items. A batch counts once for each item in it."""

READS = frozenset({"GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"})
"""The operations that read items. A batch counts once for each key in it."""

_REFUSALS = (b"ConditionalCheckFailedException", b"TransactionCanceledException")
_CREDENTIAL = re.compile(r"Credential=([^,\s]+)")
_REGION = re.compile(r"Credential=[^/]+/\d+/([^/]+)/dynamodb/")


@dataclass(frozen=True)
class Call:
    """One kind of request to one table. `refused` means that its condition did not hold.

    DynamoDB charges a refused write like one that was made:
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
    """

    region: str
    table: str
    operation: str
    refused: bool = False


class RequestCounts:
    """How often each kind of call was made. Two readings subtract to what lies between them."""

    def __init__(self, counts: Mapping[Call, int] | None = None) -> None:
        self._counts = Counter(counts or {})

    def count(
        self,
        operations: Iterable[str] = WRITES,
        *,
        region: str | None = None,
        table: str | None = None,
        refused: bool = False,
    ) -> int:
        """Return how many of `operations` there were, in one region or on one table if told.

        By default writes that were made; with `refused`, those whose condition did not hold.
        """
        wanted = set(operations)
        return sum(
            number
            for call, number in self._counts.items()
            if call.operation in wanted
            and call.refused is refused
            and region in (None, call.region)
            and table in (None, call.table)
        )

    def __iter__(self) -> Iterator[tuple[Call, int]]:
        return iter(self._counts.items())

    def __sub__(self, earlier: RequestCounts) -> RequestCounts:
        return RequestCounts(self._counts - earlier._counts)

    def __repr__(self) -> str:
        return f"Tally({dict(self._counts)})"


def credential_of(authorization: str) -> str:
    """Return what a request was signed for: key, date, region and service, or nothing."""
    found = _CREDENTIAL.search(authorization)
    return found[1] if found else ""


def region_of(authorization: str) -> str:
    """Return the region that a request to DynamoDB was signed for."""
    found = _REGION.search(authorization)
    return found[1] if found else "unknown"


class RequestCounter:
    """Counts the requests that a server answered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[Call] = Counter()

    def read(self) -> RequestCounts:
        """Return what was counted so far."""
        with self._lock:
            return RequestCounts(self._counts)

    def record(
        self, target: str, authorization: str, body: bytes, answer: tuple[int, bytes]
    ) -> None:
        """Count one request with its `answer` (status and body), if it is one to a table's items.

        `target` is the X-Amz-Target header. A request that failed for another reason than its
        condition did nothing and is not counted.
        """
        service, _, operation = target.partition(".")
        if not service.startswith("DynamoDB_") or operation not in WRITES | READS:
            return
        refused = answer[0] == 400 and any(name in answer[1] for name in _REFUSALS)
        if answer[0] != 200 and not refused:
            return
        region = region_of(authorization)
        tables = _tables(operation, json.loads(body))
        with self._lock:
            for table in tables:
                self._counts[Call(region, table, operation, refused)] += 1


def _tables(operation: str, request: dict[str, Any]) -> list[str]:
    """Name the table of each item that a request is about."""
    match operation:
        case "BatchWriteItem":
            by_table = request["RequestItems"]
            names = [name for name, items in by_table.items() for _ in items]
        case "BatchGetItem":
            by_table = request["RequestItems"]
            names = [name for name, wanted in by_table.items() for _ in wanted["Keys"]]
        case "TransactWriteItems" | "TransactGetItems":
            names = [next(iter(item.values()))["TableName"] for item in request["TransactItems"]]
        case _:
            names = [request["TableName"]]
    # A table may be named by its ARN as well.
    return [name.rpartition("/")[2] for name in names]
