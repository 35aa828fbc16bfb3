"""Responses with status 200 that are not the service's own, such as a page of a proxy."""

import asyncio
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import HTTPClientError

from handler.aws.api import BotocoreApi
from handler.aws.clients import make_api, make_client
from handler.errors import FailureKind, classify
from handler.quarantine import QuarantinedRecord, QuarantineLocation, S3Quarantine
from operate.aws.clients import ClientPool
from operate.deployed import Credentials
from tests.support.http_host import Guest, host

KEY = {"k": {"S": "1"}}
PAGE = b"<html>Blocked by your company</html>"
REQUESTS = {
    "PutItem": {"TableName": "orders", "Item": KEY},
    "GetItem": {"TableName": "orders", "Key": KEY},
}


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")


@contextmanager
def saying(monkeypatch: pytest.MonkeyPatch, body: bytes, *headers: str) -> Iterator[None]:
    """Let all services be a host that gives one answer."""

    def say(guest: Guest) -> None:
        while True:
            guest.receive()
            guest.say(body, *headers)

    with host(say) as at:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{at.port}")
        yield


@pytest.mark.parametrize("operation", REQUESTS)
@pytest.mark.parametrize("body", [PAGE, b"", b'{"Item":'])
def test_what_is_no_document_is_no_success_to_botocores_client_either(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch, body: bytes, operation: str
) -> None:
    with saying(monkeypatch, body):
        call = make_api("eu-west-1", pool, None, "boto3")
        assert isinstance(call, BotocoreApi)
        with pytest.raises(HTTPClientError, match="not JSON") as error:
            asyncio.run(call(operation, REQUESTS[operation]))
    assert classify(error.value) is FailureKind.TRANSIENT


def test_nor_is_a_document_that_is_not_the_one_whose_checksum_is_stated(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for body, is_right in ((b"{}", True), (b"{ }", False)):
        with saying(monkeypatch, body, f"x-amz-crc32: {zlib.crc32(b'{}')}"):
            call = make_api("eu-west-1", pool, None, "boto3")
            if is_right:
                asyncio.run(call("PutItem", REQUESTS["PutItem"]))
                continue
            with pytest.raises(HTTPClientError, match="checksum"):
                asyncio.run(call("PutItem", REQUESTS["PutItem"]))


def test_nor_is_it_to_the_clients_of_an_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    with saying(monkeypatch, PAGE):
        client: Any = ClientPool().get(Credentials(), "eu-west-1", "dynamodb")
        with pytest.raises(HTTPClientError, match="not JSON"):
            client.put_item(**REQUESTS["PutItem"])


def test_a_record_is_in_the_quarantine_only_if_s3_says_so(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = QuarantineLocation("quarantine", "here -> there", "orders")
    record = QuarantinedRecord({"dynamodb": {"Keys": KEY, "SequenceNumber": "1"}}, "refused", "no")
    with saying(monkeypatch, PAGE):
        quarantine = S3Quarantine(lambda: make_client("s3", "eu-west-1"), pool, place)
        with pytest.raises(HTTPClientError, match="not S3's") as error:
            asyncio.run(quarantine.put(record))
    assert classify(error.value) is FailureKind.TRANSIENT
    with saying(monkeypatch, b"", 'ETag: "d41d8cd98f00b204e9800998ecf8427e"'):
        quarantine = S3Quarantine(lambda: make_client("s3", "eu-west-1"), pool, place)
        asyncio.run(quarantine.put(record))
