"""DynamoDB as far as a hop uses it, over HTTP in the caller's event loop, with answers that fail.

What becomes of a request is drawn from a seed, the request and how often it has come: so it is the
same each time, in whatever order the requests arrive.
"""

import asyncio
import json
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from random import Random
from typing import Any

from handler.model.attribute_values import decode_binary
from handler.model.image import DELETED, VERSION

JsonItem = dict[str, Any]
Answer = tuple[int, Any]

_TRANSIENT = (
    "ProvisionedThroughputExceededException",
    "InternalServerError",
    "TransactionConflictException",
)
_CLOSING = {"closed before", "closed after", "cut", "last"}
_FAULTS = ("AccessDeniedException", "ResourceNotFoundException", "KMSDisabledException")


class WireDynamoDB:
    """Tables, and what answers for them."""

    def __init__(self, seed: int) -> None:
        """Make empty tables."""
        self.tables: dict[str, dict[str, JsonItem]] = defaultdict(dict)
        self._seed = seed
        self.failing = 0.0
        """The share of requests that something happens to."""
        self._seen: Counter[bytes] = Counter()
        self.forms: Counter[str] = Counter()
        """How often requests were answered in each form."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection. For ``asyncio.start_server``."""
        with suppress(asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                operation = _header(head, "x-amz-target").partition(".")[2]
                body = await reader.readexactly(int(_header(head, "content-length")))
                self._seen[body] += 1
                draws = Random(f"{self._seed} {operation} {self._seen[body]} {zlib.crc32(body)}")
                await self._answer(writer, draws, operation, json.loads(body))
        writer.close()

    async def _answer(
        self, writer: asyncio.StreamWriter, draws: Random, operation: str, request: Any
    ) -> None:
        form = draws.choice([*FORMS]) if draws.random() < self.failing else "whole"
        self.forms[form] += 1
        substitute = _substitute(form, draws)
        status, document = substitute or self._execute(operation, request, draws)
        for part in FORMS[form](_encoded(status, document), draws):
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)
        if form in _CLOSING:
            writer.close()

    def _execute(self, operation: str, request: Any, draws: Random) -> Answer:
        if operation == "BatchExecuteStatement":
            return 200, {"Responses": [self._state(one, draws) for one in request["Statements"]]}
        if operation == "BatchGetItem":
            return 200, self._get_many(request["RequestItems"], draws)
        table = self.tables[request["TableName"]]
        key = _name(request.get("Key") or request["Item"])
        found = table.get(key)
        if operation == "GetItem":
            return 200, {} if found is None else {"Item": found}
        if not _holds(request, found):
            code = "ConditionalCheckFailedException"
            return 400, _refusal(code) | ({} if found is None else {"Item": found})
        if operation == "PutItem":
            table[key] = request["Item"]
        else:
            table.pop(key, None)
        return 200, {} if found is None else {"Attributes": found}

    def _state(self, statement: Any, draws: Random) -> JsonItem:
        """Execute one statement of a batch, or leave it out."""
        if draws.random() < self.failing:
            return {"Error": {"Code": "ThrottlingError", "Message": "left out"}}
        text, parameters = statement["Statement"], statement["Parameters"]
        names = re.findall(r"""['"](\w+)['"](?:: \?| = \?)""", text)
        item = dict(zip(names, parameters, strict=True))
        table, key = self.tables[text.split('"')[1]], _name(item)
        found = table.get(key)
        if text.startswith("INSERT"):
            if found is not None:
                return {"Error": {"Code": "DuplicateItem", "Message": "there"}}
            table[key] = item
        elif found is not None:
            if any(found.get(name) != item[name] for name in (VERSION, DELETED)):
                return {"Error": {"Code": "ConditionalCheckFailed", "Message": "another"}}
            return {"Item": table.pop(key), "TableName": "orders"}
        return {"TableName": "orders"}

    def _get_many(self, asked: Mapping[str, Any], draws: Random) -> JsonItem:
        ((name, request),) = asked.items()
        left = [key for key in request["Keys"] if draws.random() < self.failing]
        read = (self.tables[name].get(_name(key)) for key in request["Keys"] if key not in left)
        found = [item for item in read if item is not None]
        unprocessed = {name: {"Keys": left, "ConsistentRead": True}} if left else {}
        return {"Responses": {name: found}, "UnprocessedKeys": unprocessed}


def _substitute(form: str, draws: Random) -> Answer | None:
    """What is answered instead of executing a request; None: it is executed."""
    match form:
        case "page":
            return 200, "<html>Welcome"
        case "gateway":
            return 503, "<html>Try later"
        case "refused":
            return 400, _refusal(draws.choice(_TRANSIENT))
        case "fault":
            return 400, _refusal(draws.choice(_FAULTS))
        case "closed before":
            return 200, {}
    return None


def _name(item: Mapping[str, Any]) -> str:
    name: str = item["k"]["S"]
    return name


def _header(head: bytes, name: str) -> str:
    return head.decode().partition(f"{name}: ")[2].partition("\r\n")[0]


def _refusal(code: str) -> JsonItem:
    return {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "no"}


def _holds(request: Mapping[str, Any], found: JsonItem | None) -> bool:
    """Evaluate one of the conditions that a hop makes."""
    text = request.get("ConditionExpression", "")
    item = found or {}
    has, stated = item.get(VERSION), request.get("ExpressionAttributeValues", {}).get(":version")
    older = bool(has and stated and decode_binary(has["B"]) < decode_binary(stated["B"]))
    conditions: dict[str, bool] = {
        "": True,
        "attribute_not_exists(#key)": found is None,
        "#version < :version": older,
        "#version = :version": has == stated,
        "#version = :version AND #deleted = :true": has == stated and DELETED in item,
        "attribute_not_exists(#version) OR #version < :version": has is None or older,
        "attribute_exists(#key) AND (attribute_not_exists(#version) OR #version < :version)": (
            found is not None and (has is None or older)
        ),
    }
    return conditions[text]


def _encoded(status: int, document: Any) -> tuple[list[bytes], bytes]:
    """An answer's header lines, without its length, and its body."""
    body = document.encode() if isinstance(document, str) else json.dumps(document).encode()
    lines = [f"HTTP/1.1 {status} said".encode(), b"Server: Server"]
    if not isinstance(document, str):
        lines.append(b"x-amz-crc32: %d" % zlib.crc32(body))
    return lines, body


Parts = list[bytes]
Encoded = tuple[list[bytes], bytes]


def _whole(answer: Encoded, *more: bytes) -> bytes:
    lines, body = answer
    return b"\r\n".join([*lines, *more, b"Content-Length: %d" % len(body), b"", body])


def _pieces(data: bytes, draws: Random) -> Parts:
    ends = sorted(draws.randint(0, len(data)) for _ in range(3))
    return [data[begin:end] for begin, end in zip([0, *ends], [*ends, len(data)], strict=True)]


def _chunked(answer: Encoded, draws: Random) -> Parts:
    lines, body = answer
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in _pieces(body, draws) if part)
    head = b"\r\n".join([*lines, b"Transfer-Encoding: chunked", b"", b""])
    return _pieces(head + chunks + b"0\r\n\r\n", draws)


def _cut(answer: Encoded, draws: Random) -> Parts:
    whole = _whole(answer)
    return [whole[: draws.randint(1, len(whole) - 1)]]


def _changed(answer: Encoded, draws: Random) -> Parts:
    """One bit of the body is another."""
    lines, body = answer
    at, changed = draws.randrange(len(body)), bytearray(body)
    changed[at] ^= 1 << draws.randrange(8)
    return [_whole((lines, bytes(changed)))]


FORMS: Mapping[str, Callable[[Encoded, Random], Parts]] = {
    "whole": lambda answer, _: [_whole(answer)],
    "pieces": lambda answer, draws: _pieces(_whole(answer), draws),
    "chunked": _chunked,
    "last": lambda answer, _: [_whole(answer, b"Connection: close")],
    "refused": lambda answer, _: [_whole(answer)],
    "fault": lambda answer, _: [_whole(answer)],
    "page": lambda answer, _: [_whole(answer)],
    "gateway": lambda answer, _: [_whole(answer)],
    "closed before": lambda *_: [],
    "closed after": lambda *_: [],
    "cut": _cut,
    "changed": _changed,
    "more": lambda answer, _: [_whole(answer) * 2],
}
"""How an answer is sent: whole, in other forms that are as good, or so that it fails."""
