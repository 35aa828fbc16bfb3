"""Calls over the wire: said and understood as botocore's client says and understands them."""

import asyncio
import datetime
import io
import json
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials, RefreshableCredentials
from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
)
from hypothesis import given, settings

from handler.aws.clients import make_client
from handler.aws.connection_pool import ConnectionPool, Endpoint
from handler.aws.http_client import CredentialCache, HttpApi
from handler.aws.http_response import Response
from handler.aws.secret_credentials import SecretCredentials, SecretCredentialsError
from handler.aws.sigv4 import SigV4Signer
from handler.errors import FailureKind, classify
from handler.model.attribute_values import encode_binary
from tests.support.store_backends import hearing
from tests.unit.handler.model.test_image import ITEMS

OK = (200, b"{}")
KEYS = Credentials("AKIDEXAMPLE", "hush")


class Line(ConnectionPool):
    """Connections on which a test answers, each time in turn."""

    def __init__(self, *answers: tuple[int, bytes], **headers: str) -> None:
        super().__init__(Endpoint("here", "here", 80, None), 1, 1)
        self._answers = iter(answers)
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        self._headers = {name.encode(): value.encode() for name, value in told.items()}
        self.sent: list[tuple[dict[str, str], Any]] = []
        """Headers and document of each request."""

    async def send(self, request: bytes) -> Response:
        """See Connections."""
        head, _, body = request.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        assert first == "POST / HTTP/1.1"
        headers = dict(line.split(": ", 1) for line in lines)
        assert int(headers["content-length"]) == len(body)
        self.sent.append((headers, json.loads(body)))
        status, answer = next(self._answers)
        return Response(status, self._headers, answer, is_last=False)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as two:
        yield two


def call(line: Line, wallet: CredentialCache, *calls: tuple[str, Mapping[str, Any]]) -> list[Any]:
    """Make some calls, one after the other; their answers."""
    made = HttpApi(line, SigV4Signer("here", "eu-west-1"), wallet)

    async def each() -> list[Any]:
        return [await made(*one) for one in calls or [("GetItem", {})]]

    return asyncio.run(each())


def refused(code: str) -> tuple[int, bytes]:
    told = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "no"}
    return 400, json.dumps(told).encode()


def signer_of(headers: Mapping[str, str]) -> str:
    """The access key that a request is signed with."""
    return headers["authorization"].partition("Credential=")[2].partition("/")[0]


class Botocore:
    """A client of botocore's whose requests go nowhere, and are answered by a test."""

    def __init__(self) -> None:
        self.client = make_client("dynamodb", "eu-west-1")
        self.sent: Any = None
        self.answer: tuple[int, bytes] = OK

    def hear(self, request: Any, **_: Any) -> AWSResponse:
        self.sent = request
        raw: Any = io.BytesIO(self.answer[1])
        raw.stream = lambda **_: iter([self.answer[1]])
        return AWSResponse(request.url, self.answer[0], HTTPHeaders(), raw)


@pytest.fixture(scope="module")
def botocore() -> Iterator[Botocore]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
        made = Botocore()
        with hearing(made.client, "before-send.dynamodb", made.hear):
            yield made


@settings(deadline=None)
@given(item=ITEMS)
def test_a_request_says_what_botocores_client_says(botocore: Botocore, item: Any) -> None:
    request = {
        "TableName": "orders",
        "Item": item,
        "ConditionExpression": "#version < :version",
        "ExpressionAttributeNames": {"#version": "_repl_version"},
        "ExpressionAttributeValues": {":version": {"S": "1"}},
        "ReturnValues": "ALL_OLD",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    botocore.answer = OK
    botocore.client.put_item(**request)
    line = Line(OK)
    with ThreadPoolExecutor(1) as one:
        call(line, CredentialCache(KEYS, one), ("PutItem", request))
    ((headers, document),) = line.sent
    assert document == json.loads(botocore.sent.body)
    for name in ("X-Amz-Target", "Content-Type"):
        assert headers[name.lower()] == botocore.sent.headers[name].decode()


@settings(deadline=None)
@given(item=ITEMS)
def test_an_item_is_understood_as_botocores_client_understands_it(
    botocore: Botocore, item: Any
) -> None:
    body = json.dumps({"Item": item}, default=encode_binary).encode()
    botocore.answer = (200, body)
    theirs = botocore.client.get_item(TableName="orders", Key={"k": {"S": "1"}})
    with ThreadPoolExecutor(1) as one:
        (ours,) = call(Line((200, body)), CredentialCache(KEYS, one))
    assert ours["Item"] == theirs["Item"] == item


@pytest.mark.parametrize("name", ["B", "BS"])
def test_an_attribute_that_is_named_like_a_type_is_none(
    name: str, pool: ThreadPoolExecutor
) -> None:
    item = {name: {"M": {name: {"S": "AA=="}}}, "b": {"L": [{"B": b"x"}, {"BS": [b"y"]}]}}
    body = json.dumps({"Item": item}, default=encode_binary).encode()
    assert call(Line((200, body)), CredentialCache(KEYS, pool)) == [{"Item": item}]


REFUSALS: dict[str, tuple[int, bytes]] = {
    "a refused condition": (
        400,
        b'{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",'
        b'"Item":{"k":{"S":"1"},"b":{"B":"AAE="}},"message":"The conditional request failed"}',
    ),
    "a throttle": refused("ProvisionedThroughputExceededException"),
    "another word for a message": (
        400,
        b'{"__type":"com.amazon.coral.validate#ValidationException","Message":"wrong"}',
    ),
    "no name space": (400, b'{"__type":"AccessDeniedException"}'),
    "an error inside": (500, b'{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError"}'),
    "no words": (400, b'{"__type":"x#ValidationException","message":null}'),
    "a page": (503, b"<html><body>Service Unavailable</body></html>"),
    "nothing": (503, b""),
    "too much": (413, b""),
    "too many, from a gateway": (429, b"<html><body>Too Many Requests</body></html>"),
    "too many, without a word": (429, b""),
    "too late": (408, b""),
    "a signature of the wrong time": (
        400,
        b'{"__type":"com.amazon.coral.service#InvalidSignatureException","message":"Signature '
        b"expired: 20180920T174101Z is now earlier than 20180920T174504Z (20180920T175004Z - 5 "
        b'min.)"}',
    ),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_is_raised_as_botocores_client_raises_it(
    botocore: Botocore, pool: ThreadPoolExecutor, refusal: tuple[int, bytes]
) -> None:
    botocore.answer = refusal
    with pytest.raises(ClientError) as theirs:
        botocore.client.put_item(TableName="orders", Item={})
    with pytest.raises(ClientError) as ours:
        call(Line(refusal), CredentialCache(KEYS, pool), ("PutItem", {}))
    told, known = ours.value.response, theirs.value.response
    assert told["Error"]["Code"] == known["Error"]["Code"]
    if refusal[1].startswith(b"{"):
        assert told["Error"] == known["Error"]
    assert told.get("Item") == known.get("Item")
    statuses = [one["ResponseMetadata"]["HTTPStatusCode"] for one in (told, known)]
    assert statuses == [refusal[0]] * 2
    assert classify(ours.value) is classify(theirs.value)
    assert ours.value.operation_name == "PutItem"


@pytest.mark.parametrize("body", [b"[]", b'{"__type":null}', b'{"__type":""}', b"[" * 200_000])
def test_a_refusal_that_names_no_error_has_its_status_for_a_code(
    pool: ThreadPoolExecutor, body: bytes
) -> None:
    with pytest.raises(ClientError, match="500") as error:
        call(Line((500, body)), CredentialCache(KEYS, pool))
    assert classify(error.value) is FailureKind.TRANSIENT


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"Item":', b"[]", b'{"Item":{"b":{"B":"?"}}}'])
def test_an_answer_that_is_no_document_is_no_success(pool: ThreadPoolExecutor, body: bytes) -> None:
    with pytest.raises(HTTPClientError) as error:
        call(Line((200, body)), CredentialCache(KEYS, pool))
    assert classify(error.value) is FailureKind.TRANSIENT


def test_an_answer_is_checked_where_it_tells_its_checksum(pool: ThreadPoolExecutor) -> None:
    right, wrong = (str(zlib.crc32(body)) for body in (b"{}", b"{"))
    assert call(Line(OK, x_amz_crc32=right), CredentialCache(KEYS, pool)) == [{}]
    with pytest.raises(HTTPClientError, match="checksum") as error:
        call(Line(OK, x_amz_crc32=wrong), CredentialCache(KEYS, pool))
    assert classify(error.value) is FailureKind.TRANSIENT


def test_temporary_keys_are_sent_with_their_token(pool: ThreadPoolExecutor) -> None:
    line = Line(OK)
    call(line, CredentialCache(Credentials("KEY", "hush", "TOKEN"), pool))
    ((headers, _),) = line.sent
    assert headers["x-amz-security-token"] == "TOKEN"
    assert "x-amz-security-token" in headers["authorization"]


def expiring(*replies: Any) -> RefreshableCredentials:
    """Keys that have expired, and what is had instead, each time in turn: a name or an error."""
    turns = iter(replies)

    def refresh() -> dict[str, str]:
        reply = next(turns)
        if isinstance(reply, Exception):
            raise reply
        later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
        told = {"access_key": reply, "secret_key": "hush", "token": "TOKEN"}
        return {**told, "expiry_time": later.isoformat()}

    past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    return RefreshableCredentials("OLD", "hush", "TOKEN", past, refresh, "assume-role")


def test_keys_that_have_expired_are_replaced_before_a_call(pool: ThreadPoolExecutor) -> None:
    line = Line(OK, OK)
    call(line, CredentialCache(expiring("NEW"), pool), ("GetItem", {}), ("GetItem", {}))
    assert [signer_of(headers) for headers, _ in line.sent] == ["NEW", "NEW"]


def test_while_keys_cannot_be_replaced_no_call_is_made_and_it_passes(
    pool: ThreadPoolExecutor,
) -> None:
    trouble = CredentialRetrievalError(provider="sts", error_msg="that day")
    line, wallet = Line(OK), CredentialCache(expiring(trouble, "NEW"), pool)
    with pytest.raises(CredentialRetrievalError) as error:
        call(line, wallet)
    assert classify(error.value) is FailureKind.TRANSIENT
    assert line.sent == []
    call(line, wallet)
    assert [signer_of(headers) for headers, _ in line.sent] == ["NEW"]


@pytest.mark.parametrize(
    "keys", [("KEY\r\nhost: there", "hush", None), ("KEY", "hush", "TOKEN\r\nhost: there")]
)
def test_keys_that_would_begin_another_header_line_are_not_sent(
    pool: ThreadPoolExecutor, keys: tuple[str, str, str | None]
) -> None:
    line = Line(OK)
    with pytest.raises(SecretCredentialsError) as error:
        call(line, CredentialCache(Credentials(*keys), pool))
    assert classify(error.value) is FailureKind.FAULT
    assert line.sent == []


class Counted(Credentials):
    """Keys that count how often they are looked at."""

    looks = 0

    def get_frozen_credentials(self) -> Any:
        """See Credentials."""
        self.looks += 1
        return super().get_frozen_credentials()


def test_keys_are_looked_at_once_for_many_calls_and_again_after_a_while(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_700_000_000.0
    monkeypatch.setattr("handler.aws.http_client.time.time", lambda: now)
    keys = Counted("KEY", "hush")
    wallet = CredentialCache(keys, pool)

    async def looks() -> list[int]:
        """How often they were looked at after twenty calls at each of these moments."""
        nonlocal now
        told = []
        for moment in (0.0, 0.9, 1.0, -3600.0):
            now = 1_700_000_000.0 + moment
            await asyncio.gather(*(wallet.credentials() for _ in range(20)))
            told.append(keys.looks)
        return told

    # The last time the clock was set back, which is no reason to trust the keys for an hour more.
    assert asyncio.run(looks()) == [1, 1, 2, 3]


def test_who_waits_for_keys_that_cannot_be_had_does_not_try_again_one_after_the_other(
    pool: ThreadPoolExecutor,
) -> None:
    trouble = CredentialRetrievalError(provider="sts", error_msg="that day")
    wallet = CredentialCache(expiring(trouble, "NEW"), pool)

    async def by_many() -> list[Any]:
        return await asyncio.gather(
            *(wallet.credentials() for _ in range(20)), return_exceptions=True
        )

    assert asyncio.run(by_many()) == [trouble] * 20
    assert {keys.access_key for keys in asyncio.run(by_many())} == {"NEW"}


def test_without_keys_no_call_is_made(pool: ThreadPoolExecutor) -> None:
    line = Line(OK)
    with pytest.raises(NoCredentialsError) as error:
        call(line, CredentialCache(None, pool))
    assert classify(error.value) is FailureKind.FAULT
    assert line.sent == []


def secret(*texts: str) -> SecretCredentials:
    """Keys from a secret that holds these, each time in turn."""
    turns = iter(texts)
    return SecretCredentials(
        lambda: json.dumps({"AccessKeyId": next(turns), "SecretAccessKey": "hush"})
    )


def test_a_call_that_is_refused_for_its_keys_is_made_again_with_what_the_secret_holds_now(
    pool: ThreadPoolExecutor,
) -> None:
    line = Line(refused("UnrecognizedClientException"), OK, OK)
    wallet = CredentialCache(secret("OLD", "NEW"), pool)
    call(line, wallet, ("PutItem", {"a": 1}), ("GetItem", {}))
    assert [signer_of(headers) for headers, _ in line.sent] == ["OLD", "NEW", "NEW"]
    assert [document for _, document in line.sent] == [{"a": 1}, {"a": 1}, {}]


def test_keys_that_stay_refused_are_an_error_after_one_more_call(pool: ThreadPoolExecutor) -> None:
    refusal = refused("UnrecognizedClientException")
    line = Line(refusal, refusal)
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        call(line, CredentialCache(secret("OLD", "OLD"), pool))
    assert len(line.sent) == 2


def test_another_refusal_is_no_reason_to_read_the_secret(pool: ThreadPoolExecutor) -> None:
    line = Line(refused("ConditionalCheckFailedException"))
    with pytest.raises(ClientError):
        call(line, CredentialCache(secret("OLD"), pool))
    assert len(line.sent) == 1


def test_nor_are_refused_keys_that_are_in_no_secret(pool: ThreadPoolExecutor) -> None:
    line = Line(refused("UnrecognizedClientException"))
    with pytest.raises(ClientError):
        call(line, CredentialCache(KEYS, pool))
    assert len(line.sent) == 1


def test_what_dynamodb_does_not_have_is_not_sent(pool: ThreadPoolExecutor) -> None:
    line = Line(OK)
    with pytest.raises(TypeError, match="not a DynamoDB value"):
        call(line, CredentialCache(KEYS, pool), ("PutItem", {"Item": {"a": {"N": 1j}}}))
    assert line.sent == []
