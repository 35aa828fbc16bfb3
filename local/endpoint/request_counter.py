"""Count DynamoDB requests by region, table and operation."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.moto_patches.partiql.forms import statement_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_STATEMENTS = "BatchExecuteStatement"
WRITES = frozenset(
    {
        "PutItem",
        "UpdateItem",
        "DeleteItem",
        "BatchWriteItem",
        "TransactWriteItems",
        _STATEMENTS,
    }
)
"""Operations that write items. A batch counts once for each of its items, one of statements once
for each INSERT and DELETE."""

READS = frozenset({"GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"})
"""Operations that read items. A batch counts once for each of its keys."""

_REFUSALS = (b"ConditionalCheckFailedException", b"TransactionCanceledException")
_REFUSED_STATEMENTS = {"ConditionalCheckFailed", "DuplicateItem"}
_CREDENTIAL = re.compile(r"Credential=([^,\s]+)")
_REGION = re.compile(r"Credential=[^/]+/\d+/([^/]+)/dynamodb/")


@dataclass(frozen=True)
class Call:
    """A kind of request to a table. `refused`: its condition check failed.

    DynamoDB charges such a write like one that succeeds:
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
    """

    region: str
    table: str
    operation: str
    refused: bool = False


class RequestCounts:
    """Number of requests of each kind. Subtract an earlier reading to get those in between."""

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
        """Return the number of `operations`, optionally of one region or table.

        By default those that succeeded; with `refused`, those whose condition check failed.
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
        return f"RequestCounts({dict(self._counts)})"


def credential_of(authorization: str) -> str:
    """Return the scope of a request's signature: key, date, region and service, or nothing."""
    found = _CREDENTIAL.search(authorization)
    return found[1] if found else ""


def region_of(authorization: str) -> str:
    """Return the region for which a request to DynamoDB was signed."""
    found = _REGION.search(authorization)
    return found[1] if found else "unknown"


class RequestCounter:
    """Counts the requests of a server. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[Call] = Counter()

    def read(self) -> RequestCounts:
        """Return the counts so far."""
        with self._lock:
            return RequestCounts(self._counts)

    def record(
        self,
        target: str,
        authorization: str,
        body: bytes | Mapping[str, Any],
        response: tuple[int, bytes],
    ) -> None:
        """Count a request for items, given its response's status and body.

        `target` is the X-Amz-Target header; `body` may be parsed already. Requests that failed are
        not counted, except for failed condition checks.
        """
        service, _, operation = target.partition(".")
        if not service.startswith("DynamoDB_") or operation not in WRITES | READS:
            return
        status, response_body = response
        refused = status == 400 and any(name in response_body for name in _REFUSALS)
        if status != 200 and not refused:
            return
        region = region_of(authorization)
        request = json.loads(body) if isinstance(body, bytes) else body
        if operation == _STATEMENTS:
            items = Counter(_statements(request, json.loads(response_body)))
        else:
            items = Counter((table, refused) for table in _tables(operation, request))
        with self._lock:
            for (table, failed), count in items.items():
                self._counts[Call(region, table, operation, failed)] += count


def _statements(
    request: Mapping[str, Any], response: Mapping[str, Any]
) -> Iterator[tuple[str, bool]]:
    """Yield table and refusal of each statement that wrote, or whose condition failed."""
    for statement, answer in zip(request["Statements"], response["Responses"], strict=True):
        form = statement_of(statement["Statement"])
        if form is None or form.kind == "SELECT":
            continue
        error = answer.get("Error", {}).get("Code")
        if error is None or error in _REFUSED_STATEMENTS:
            yield form.table, error is not None


def _tables(operation: str, request: Mapping[str, Any]) -> list[str]:
    """Return the table of each item in a request."""
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
    # A table may also be given by its ARN.
    return [name.rpartition("/")[2] for name in names]
