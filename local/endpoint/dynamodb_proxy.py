"""Forward a local ring's requests for tables and streams to another DynamoDB server.

The server must separate regions, derive an account from an access key, and check no signatures.
Requests are sent with an access key generated for their account in this run: tables of an earlier
run are invisible, and this run's tables are deleted when it ends. Tested with MiniStack; see
docs/explanation/servers.md.
"""

from __future__ import annotations

import json
import re
import secrets
import threading
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Self
from zlib import crc32

import urllib3
from moto.iam.models import get_account_id_from

from local.cloud.errors import StartError
from local.endpoint.dynamodb_url import normalized_url
from local.endpoint.request_counter import READS, WRITES
from ring.arn import partition_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_TABLES = "DynamoDB_20120810."
_STREAMS = "DynamoDBStreams_20120810."
# Responses to these have no ARNs, and items in which nothing must be replaced.
_ITEM_OPERATIONS = (
    WRITES | READS | {"ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"}
)
_FORWARDED_HEADERS = ("Content-Type", "X-Amz-Date", "X-Amz-Target")
_CREDENTIAL = re.compile(r"(?<=Credential=)([^/,\s]+)(?=/\d+/([^/]+)/)")
_ARN = re.compile(rb"arn:[\w-]+:dynamodb:[\w-]*:\w*:(?=table/)")
"""Start of the ARN of a table or a stream, up to the account."""


class ProxyError(StartError):
    """The server at the URL cannot be used for a ring. Says why, and what to do."""


@dataclass(frozen=True)
class TableSet:
    """The account and region of a request: each pair has tables of its own."""

    account: str
    region: str

    @property
    def arn_prefix(self) -> bytes:
        """Prefix of its tables' ARNs."""
        prefix = f"arn:{partition_of(self.region)}:dynamodb:{self.region}:{self.account}:"
        return prefix.encode()


@dataclass(frozen=True)
class Response:
    """An HTTP response."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class DynamoDBProxy:
    """Proxy for DynamoDB and DynamoDB Streams at a URL. Thread-safe.

    The constructor raises `WrongUrlError`, entering raises `ProxyError`. On exit, all tables
    created through it are deleted.
    """

    def __init__(self, url: str) -> None:
        self.url = normalized_url(url)
        self._run = secrets.token_hex(4)
        # A PoolManager ignores HTTP_PROXY.
        self._pool = urllib3.PoolManager(
            maxsize=64, retries=False, timeout=urllib3.Timeout(connect=5, read=30)
        )
        self._lock = threading.Lock()
        self._created: set[tuple[TableSet, str]] = set()
        self._server_prefixes: dict[TableSet, bytes] = {}
        """Prefixes of the server's ARNs, as seen in its responses."""

    @staticmethod
    def takes(target: str) -> bool:
        """Return whether a request with this X-Amz-Target header is for DynamoDB."""
        return target.startswith((_TABLES, _STREAMS))

    def answer(self, headers: Mapping[str, str], body: bytes) -> Response:
        """Return the response to a request."""
        target, authorization = headers.get("X-Amz-Target", ""), headers.get("Authorization", "")
        found = _CREDENTIAL.search(authorization)
        tables = TableSet(get_account_id_from(found[1]), found[2]) if found else TableSet("", "")
        forwarded = {name: headers[name] for name in _FORWARDED_HEADERS if headers.get(name)}
        if found:
            forwarded["Authorization"] = _CREDENTIAL.sub(self._access_key(tables), authorization)
        operation = target.partition(".")[2]
        if operation in _ITEM_OPERATIONS:
            return self._send(forwarded, body)
        prefix = tables.arn_prefix
        body = body.replace(prefix, self._server_prefixes.get(tables, prefix))
        response = self._send(forwarded, body)
        self._remember(operation, tables, response)
        if operation == "GetRecords" and response.status == 200:
            return _with_body(response, _translate_records(response.body, tables))
        return _with_body(response, _ARN.sub(prefix, response.body))

    def _access_key(self, tables: TableSet) -> str:
        """Return the access key for an account in this run.

        It has 12 digits, for servers that use such a key as the account's number.
        """
        digest = sha256(f"{self._run} {tables.account}".encode()).digest()
        return f"{int.from_bytes(digest[:8]) % 10**12:012}"

    def _send(self, headers: Mapping[str, str], body: bytes) -> Response:
        try:
            response = self._pool.request(
                "POST", f"{self.url}/", body=body, headers=dict(headers), redirect=False
            )
        except urllib3.exceptions.HTTPError as error:
            # DynamoDB's response to an internal error; SDKs retry it.
            message = f"The DynamoDB at {self.url} does not answer: {error}"
            failed = {"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError"}
            return Response(500, {}, json.dumps({**failed, "message": message}).encode())
        returned = {
            name: value
            for name, value in response.headers.items()
            if name.lower() in {"content-type", "x-amzn-requestid", "x-amz-crc32"}
        }
        return Response(response.status, returned, response.data)

    def _remember(self, operation: str, tables: TableSet, response: Response) -> None:
        """Record the prefix of the server's ARNs, and which tables were created."""
        if response.status != 200:
            return
        if found := _ARN.search(response.body):
            self._server_prefixes[tables] = found[0]
        if operation not in {"CreateTable", "DeleteTable"}:
            return
        table = (tables, json.loads(response.body)["TableDescription"]["TableName"])
        with self._lock:
            if operation == "CreateTable":
                self._created.add(table)
            else:
                self._created.discard(table)

    def _call(self, operation: str, tables: TableSet, request: Mapping[str, Any]) -> Response:
        """Send a request of the proxy's own."""
        scope = f"{self._access_key(tables)}/20120810/{tables.region}/dynamodb/aws4_request"
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": _TABLES + operation,
            "X-Amz-Date": "20120810T000000Z",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, "
            "SignedHeaders=host;x-amz-date, Signature=none",
        }
        return self._send(headers, json.dumps(request).encode())

    def __enter__(self) -> Self:
        try:
            self._check()
        except BaseException:
            self._pool.clear()
            raise
        return self

    def _check(self) -> None:
        """Check that the server implements streams and separates regions. Raises `ProxyError`."""
        first, second = TableSet("probe", "us-east-1"), TableSet("probe", "eu-west-1")
        name = f"ring-{self._run}"
        response = self._call("CreateTable", first, _probe_table(name))
        table = _created_table(response)
        if not _ARN.match(str(table.get("TableArn", "")).encode()):
            raise ProxyError(_unusable(self.url, response))
        try:
            if not table.get("LatestStreamArn"):
                raise ProxyError(
                    f"The DynamoDB at {self.url} does not implement streams, which hops read: a "
                    "table created with a stream has none. Use another server."
                )
            others = json.loads(self._call("ListTables", second, {}).body)["TableNames"]
        finally:
            self._call("DeleteTable", first, {"TableName": name})
        if name in others:
            raise ProxyError(
                f"The DynamoDB at {self.url} does not separate regions, and a ring has a table in "
                "each. Use a server that does, such as MiniStack (docs/explanation/servers.md)."
            )

    def __exit__(self, *_: object) -> None:
        with self._lock:
            created, self._created = self._created, set()
        for tables, name in created:
            table = {"TableName": name}
            if self._call("DeleteTable", tables, table).status != 200:
                self._call("UpdateTable", tables, {**table, "DeletionProtectionEnabled": False})
                self._call("DeleteTable", tables, table)
        self._pool.clear()


def _probe_table(name: str) -> dict[str, Any]:
    return {
        "TableName": name,
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    }


def _created_table(response: Response) -> Mapping[str, Any]:
    """Return the description of the created table; empty if the response has none."""
    try:
        table = json.loads(response.body)["TableDescription"]
    except (ValueError, KeyError, TypeError):
        return {}
    return table if isinstance(table, dict) else {}


def _unusable(url: str, response: Response) -> str:
    """Return why the server that answered cannot be used."""
    text = response.body.decode(errors="replace").strip()
    if response.status == 500 and "does not answer" in text:
        message = json.loads(text)["message"]
        return f"{message}. Start the server (docs/explanation/servers.md) or check the URL."
    return (
        f"The server at {url} does not implement DynamoDB: it answered CreateTable with "
        f"{response.status} {text[:200]!r}. Check the URL; "
        "docs/explanation/servers.md lists servers."
    )


def _with_body(response: Response, body: bytes) -> Response:
    """Return a response with another body and its checksum, which AWS's SDKs verify."""
    return Response(response.status, {**response.headers, "x-amz-crc32": str(crc32(body))}, body)


def _translate_records(body: bytes, tables: TableSet) -> bytes:
    """Replace region and ARNs in a page of stream records, and complete its images."""
    page = json.loads(body)
    for record in page["Records"]:
        record["awsRegion"] = tables.region
        for image in {"NewImage", "OldImage"} & record["dynamodb"].keys():
            record["dynamodb"][image] = _complete({"M": record["dynamodb"][image]})["M"]
    if "NextShardIterator" in page:
        iterator = page["NextShardIterator"].encode()
        page["NextShardIterator"] = _ARN.sub(tables.arn_prefix, iterator).decode()
    return json.dumps(page).encode()


def _complete(value: dict[str, Any]) -> dict[str, Any]:
    """Restore the type of empty maps, which some servers omit in a stream: `{}`."""
    match value:
        case {"M": dict(parts)}:
            return {"M": {name: _complete(part) for name, part in parts.items()}}
        case {"L": list(parts)}:
            return {"L": [_complete(part) for part in parts]}
    return value or {"M": {}}
