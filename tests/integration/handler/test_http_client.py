"""Calls over the wire: said and understood as botocore's client says and understands them."""

import io
import json
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials
from botocore.exceptions import (
    ClientError,
    HTTPClientError,
)
from hypothesis import given, settings

from handler.aws.clients import make_client
from handler.aws.http_client import CredentialCache
from handler.aws.secret_credentials import are_credentials_rejected
from handler.errors import FailureKind, classify
from handler.model.attribute_values import encode_binary
from tests.support.http_calls import KEYS, OK, Line, call, refused
from tests.support.store_backends import hearing
from tests.unit.handler.model.test_image import ITEMS


class Botocore:
    """A client of botocore's whose requests go nowhere, and are answered by a test."""

    def __init__(self) -> None:
        self.client = make_client("dynamodb", "eu-west-1")
        self.sent: Any = None
        self.answer: tuple[int, bytes] = OK

    def record(self, request: Any, **_: Any) -> AWSResponse:
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
        with hearing(made.client, "before-send.dynamodb", made.record):
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
    response, known = ours.value.response, theirs.value.response
    assert response["Error"]["Code"] == known["Error"]["Code"]
    if refusal[1].startswith(b"{"):
        assert response["Error"] == known["Error"]
    assert response.get("Item") == known.get("Item")
    statuses = [one["ResponseMetadata"]["HTTPStatusCode"] for one in (response, known)]
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


@pytest.mark.parametrize("status", [302, 403, 503])
def test_a_refusal_that_is_no_document_is_reported_by_how_it_begins(
    pool: ThreadPoolExecutor, status: int
) -> None:
    page = b"<html>Blocked by your company: \xff" + b"x" * 100_000
    with pytest.raises(ClientError, match=f"{status}.*Blocked by your company: .x{{10}}") as error:
        call(Line((status, page)), CredentialCache(KEYS, pool))
    assert len(str(error.value)) < 400


@pytest.mark.parametrize("message", ['{"reason":"blocked"}', '["blocked"]', "5", "null"])
@pytest.mark.parametrize("code", ["ValidationException", "InvalidSignatureException", "Blocked"])
def test_a_refusal_whose_message_is_no_text_is_raised_as_it_is(
    pool: ThreadPoolExecutor, code: str, message: str
) -> None:
    body = f'{{"__type":"{code}","message":{message}}}'.encode()
    with pytest.raises(ClientError, match=code) as error:
        call(Line((403, body)), CredentialCache(KEYS, pool))
    assert classify(error.value) is FailureKind.FAULT
    assert are_credentials_rejected(error.value) is (code == "InvalidSignatureException")


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"Item":', b"[]", b'{"Item":{"b":{"B":"?"}}}'])
def test_an_answer_that_is_no_document_is_no_success(pool: ThreadPoolExecutor, body: bytes) -> None:
    with pytest.raises(HTTPClientError) as error:
        call(Line((200, body)), CredentialCache(KEYS, pool))
    assert classify(error.value) is FailureKind.TRANSIENT


def test_an_answer_is_checked_where_it_states_its_checksum(pool: ThreadPoolExecutor) -> None:
    right, wrong = (str(zlib.crc32(body)) for body in (b"{}", b"{"))
    assert call(Line(OK, x_amz_crc32=right), CredentialCache(KEYS, pool)) == [{}]
    with pytest.raises(HTTPClientError, match="checksum") as error:
        call(Line(OK, x_amz_crc32=wrong), CredentialCache(KEYS, pool))
    assert classify(error.value) is FailureKind.TRANSIENT


def test_no_answer_is_asked_for_compressed(pool: ThreadPoolExecutor) -> None:
    line = Line(OK)
    call(line, CredentialCache(KEYS, pool))
    ((headers, _),) = line.sent
    assert headers["accept-encoding"] == "identity"


def test_temporary_keys_are_sent_with_their_token(pool: ThreadPoolExecutor) -> None:
    line = Line(OK)
    call(line, CredentialCache(Credentials("KEY", "hush", "TOKEN"), pool))
    ((headers, _),) = line.sent
    assert headers["x-amz-security-token"] == "TOKEN"
    assert "x-amz-security-token" in headers["authorization"]


def test_what_dynamodb_does_not_have_is_not_sent(pool: ThreadPoolExecutor) -> None:
    line = Line(OK)
    with pytest.raises(TypeError, match="not a DynamoDB value"):
        call(line, CredentialCache(KEYS, pool), ("PutItem", {"Item": {"a": {"N": 1j}}}))
    assert line.sent == []
