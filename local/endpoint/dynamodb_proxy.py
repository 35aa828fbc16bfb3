"""Forward a local ring's requests for tables and streams to a server that speaks DynamoDB.

Such a server keeps regions apart, takes an access key for an account, and checks no signature. So a
request goes there under an access key made up for its account in this run alone: what an earlier
run left is out of sight, and what this one makes is deleted when it ends. Tried with MiniStack; see
docs/stores.md.
"""

from __future__ import annotations

import json
import re
import secrets
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Self
from unittest.mock import patch
from urllib.parse import urlsplit
from zlib import crc32

import urllib3
from moto.awslambda.models import EventSourceMapping, LambdaBackend
from moto.iam.models import get_account_id_from

from local.endpoint.request_counter import READS, WRITES
from ring.arn import partition_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TABLES = "DynamoDB_20120810."
_STREAMS = "DynamoDBStreams_20120810."
# Answers to these hold items, which are nobody's to change, and no name but those of tables.
_ABOUT_ITEMS = WRITES | READS | {"ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"}
_PASSED_ON = ("Content-Type", "X-Amz-Date", "X-Amz-Target")
_CREDENTIAL = re.compile(r"(?<=Credential=)([^/,\s]+)(?=/\d+/([^/]+)/)")
_ARN = re.compile(rb"arn:[\w-]+:dynamodb:[\w-]*:\w*:(?=table/)")
"""The beginning of an ARN of a table or a stream, up to the account."""
_OF_AWS = re.compile(
    r"(^|\.)(amazonaws\.(com|com\.cn|eu)|api\.aws|on\.aws|api\.amazonwebservices\.com\.cn)\.?$"
)


class ProxyError(Exception):
    """No DynamoDB that a ring can use is at the URL. Says why, and what to do."""


class WrongUrlError(ProxyError):
    """The URL cannot be one of a DynamoDB for a ring."""


@dataclass(frozen=True)
class RegionArns:
    """Where a request is about: what tells one set of tables from another."""

    account: str
    region: str

    @property
    def arns(self) -> bytes:
        """How the ARNs of the tables there begin."""
        arns = f"arn:{partition_of(self.region)}:dynamodb:{self.region}:{self.account}:"
        return arns.encode()


@dataclass(frozen=True)
class Response:
    """What came back: status, headers and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class DynamoDBProxy:
    """Answers requests to DynamoDB and its streams as AWS would, by the server at a URL.

    May be used from several threads. Entering raises `ProxyError`; on leaving, every table that
    was made here is deleted. `WrongUrlError` is raised at once.
    """

    def __init__(self, url: str) -> None:
        self.url = _checked(url)
        self._run = secrets.token_hex(4)
        # It heeds no proxy of the environment's, and follows no redirection elsewhere.
        self._pool = urllib3.PoolManager(
            maxsize=64, retries=False, timeout=urllib3.Timeout(connect=5, read=30)
        )
        self._lock = threading.Lock()
        self._made: set[tuple[RegionArns, str]] = set()
        self._theirs: dict[RegionArns, bytes] = {}
        """How the server's ARNs begin, as far as it has told one."""

    @staticmethod
    def takes(target: str) -> bool:
        """Tell by its X-Amz-Target whether a request is one to DynamoDB."""
        return target.startswith((_TABLES, _STREAMS))

    def answer(self, headers: Mapping[str, str], body: bytes) -> Response:
        """Return the complete answer to one request."""
        target, authorization = headers.get("X-Amz-Target", ""), headers.get("Authorization", "")
        found = _CREDENTIAL.search(authorization)
        place = RegionArns(get_account_id_from(found[1]), found[2]) if found else RegionArns("", "")
        passed_on = {name: headers[name] for name in _PASSED_ON if headers.get(name)}
        if found:
            passed_on["Authorization"] = _CREDENTIAL.sub(self._key(place), authorization)
        operation = target.partition(".")[2]
        if operation in _ABOUT_ITEMS:
            return self._ask(passed_on, body)
        answer = self._ask(passed_on, body.replace(place.arns, self._theirs.get(place, place.arns)))
        self._note(operation, place, answer)
        if operation == "GetRecords" and answer.status == 200:
            return _answered(answer, _records(answer.body, place))
        return _answered(answer, _ARN.sub(place.arns, answer.body))

    def _key(self, place: RegionArns) -> str:
        """Return the access key that stands for an account in this run.

        It has 12 digits, so a server that takes such a key for an account's number does so too.
        """
        digest = sha256(f"{self._run} {place.account}".encode()).digest()
        return f"{int.from_bytes(digest[:8]) % 10**12:012}"

    def _ask(self, headers: Mapping[str, str], body: bytes) -> Response:
        try:
            answer = self._pool.request(
                "POST", f"{self.url}/", body=body, headers=dict(headers), redirect=False
            )
        except urllib3.exceptions.HTTPError as error:
            # What DynamoDB answers when it is its own fault; SDKs try again.
            message = f"The DynamoDB at {self.url} does not answer: {error}"
            failed = {"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError"}
            return Response(500, {}, json.dumps({**failed, "message": message}).encode())
        kept = {
            name: value
            for name, value in answer.headers.items()
            if name.lower() in {"content-type", "x-amzn-requestid", "x-amz-crc32"}
        }
        return Response(answer.status, kept, answer.data)

    def _note(self, operation: str, place: RegionArns, answer: Response) -> None:
        """Keep in mind how the server's ARNs begin, and which tables there are."""
        if answer.status != 200:
            return
        if found := _ARN.search(answer.body):
            self._theirs[place] = found[0]
        if operation not in {"CreateTable", "DeleteTable"}:
            return
        table = (place, json.loads(answer.body)["TableDescription"]["TableName"])
        with self._lock:
            if operation == "CreateTable":
                self._made.add(table)
            else:
                self._made.discard(table)

    def _call(self, operation: str, place: RegionArns, request: Mapping[str, Any]) -> Response:
        """Ask something that no client asked for."""
        scope = f"{self._key(place)}/20120810/{place.region}/dynamodb/aws4_request"
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": _TABLES + operation,
            "X-Amz-Date": "20120810T000000Z",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, "
            "SignedHeaders=host;x-amz-date, Signature=none",
        }
        return self._ask(headers, json.dumps(request).encode())

    def __enter__(self) -> Self:
        try:
            self._check()
        except BaseException:
            self._pool.clear()
            raise
        return self

    def _check(self) -> None:
        """Make sure that a DynamoDB with streams is there, and that it keeps regions apart."""
        here, there = RegionArns("probe", "us-east-1"), RegionArns("probe", "eu-west-1")
        name = f"ring-{self._run}"
        answer = self._call("CreateTable", here, _probe(name))
        table = _table_in(answer)
        if not _ARN.match(str(table.get("TableArn", "")).encode()):
            raise ProxyError(_told(self.url, answer))
        try:
            if not table.get("LatestStreamArn"):
                raise ProxyError(
                    f"The DynamoDB at {self.url} makes no streams: a table created with one has "
                    "none, and a hop reads its table's stream. Give the URL of another server."
                )
            seen = json.loads(self._call("ListTables", there, {}).body)["TableNames"]
        finally:
            self._call("DeleteTable", here, {"TableName": name})
        if name in seen:
            raise ProxyError(
                f"The DynamoDB at {self.url} keeps one set of tables for all regions, and a ring "
                "has a table in each. Give the URL of a server that keeps regions apart, such as "
                "MiniStack (docs/stores.md)."
            )

    def __exit__(self, *_: object) -> None:
        with self._lock:
            made, self._made = self._made, set()
        for place, name in made:
            table = {"TableName": name}
            if self._call("DeleteTable", place, table).status != 200:
                self._call("UpdateTable", place, {**table, "DeletionProtectionEnabled": False})
                self._call("DeleteTable", place, table)
        self._pool.clear()


def _checked(url: str) -> str:
    """Return the URL in its plainest form. Raises `WrongUrlError`."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    host = parts.hostname or ""
    plain = not (parts.path.strip("/") or parts.query or parts.fragment or parts.username)
    if parts.scheme not in {"http", "https"} or not host or not plain:
        raise WrongUrlError(
            f"{url!r} is no URL of a DynamoDB: it takes the form http://127.0.0.1:8000."
        )
    if _OF_AWS.search(host):
        raise WrongUrlError(
            f"{host} is AWS itself, and a local ring has made-up credentials and tables that it "
            "deletes. Give the URL of a server on this machine (docs/stores.md)."
        )
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port else "")


def _probe(name: str) -> dict[str, Any]:
    return {
        "TableName": name,
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    }


def _table_in(answer: Response) -> Mapping[str, Any]:
    """Return the description of the table that was created; an empty one, if there is none."""
    try:
        table = json.loads(answer.body)["TableDescription"]
    except (ValueError, KeyError, TypeError):
        return {}
    return table if isinstance(table, dict) else {}


def _told(url: str, answer: Response) -> str:
    """Say what is wrong with what answered."""
    text = answer.body.decode(errors="replace").strip()
    if answer.status == 500 and "does not answer" in text:
        return (
            f"{json.loads(text)['message']}. Start the server first (docs/stores.md says how), "
            "or check the URL."
        )
    return (
        f"What answers at {url} does not speak DynamoDB: to CreateTable it said {answer.status} "
        f"{text[:200]!r}. Check the URL; docs/stores.md names servers that do."
    )


def _answered(answer: Response, body: bytes) -> Response:
    """Return an answer with another body, and the checksum that AWS's SDKs look at."""
    return Response(answer.status, {**answer.headers, "x-amz-crc32": str(crc32(body))}, body)


def _records(body: bytes, place: RegionArns) -> bytes:
    """Turn what a page of a stream's records says about where they are, and complete its images."""
    page = json.loads(body)
    for record in page["Records"]:
        record["awsRegion"] = place.region
        for image in {"NewImage", "OldImage"} & record["dynamodb"].keys():
            record["dynamodb"][image] = _complete({"M": record["dynamodb"][image]})["M"]
    if "NextShardIterator" in page:
        there = page["NextShardIterator"].encode()
        page["NextShardIterator"] = _ARN.sub(place.arns, there).decode()
    return json.dumps(page).encode()


def _complete(value: dict[str, Any]) -> dict[str, Any]:
    """Give every empty map its type, which some servers leave out in a stream: `{}`."""
    match value:
        case {"M": dict(parts)}:
            return {"M": {name: _complete(part) for name, part in parts.items()}}
        case {"L": list(parts)}:
            return {"L": [_complete(part) for part in parts]}
    return value or {"M": {}}


def _create_mapping(backend: LambdaBackend, spec: dict[str, Any]) -> EventSourceMapping:
    """Make an event source mapping as moto does, without looking for the stream in moto."""
    function = backend.get_function(spec["FunctionName"])
    spec |= {
        "RegionName": backend.region_name,
        "AccountId": backend.account_id,
        "FunctionArn": function.function_arn,
    }
    mapping: EventSourceMapping = EventSourceMapping(spec)  # type: ignore[abstract]
    backend._event_source_mappings[mapping.uuid] = mapping
    return mapping


@contextmanager
def mappings_of_foreign_streams() -> Iterator[None]:
    """Let moto make mappings of streams that it has never heard of."""
    with patch.object(LambdaBackend, "create_event_source_mapping", _create_mapping):
        yield
