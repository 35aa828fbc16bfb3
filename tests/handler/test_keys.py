"""Keys for another partition: read from a secret, kept, and read again when they are refused."""

import io
import json
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError
from moto import mock_aws

from handler.clients import make_client
from handler.keys import Keys, KeysError
from tests.botocore_json import read_once
from tests.handler.benches import hearing

TABLE = {
    "TableName": "orders",
    "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


def told(key: str, **more: str) -> str:
    return json.dumps({"AccessKeyId": key, "SecretAccessKey": "none", **more})


class Abroad:
    """A secret on this side, and a table in another partition that refuses keys when told to."""

    def __init__(self, end: ExitStack) -> None:
        self.refused: set[str] = set()
        self.refusal = "UnrecognizedClientException"
        self.calls: list[str] = []
        self.secrets: Any = boto3.client("secretsmanager", region_name="us-east-1")
        self.arn = self.secrets.create_secret(Name="ring", SecretString=told("OLDKEY"))["ARN"]
        boto3.client("dynamodb", region_name="cn-north-1").create_table(**TABLE)  # type: ignore[arg-type]
        self.client = make_client("dynamodb", "cn-north-1", self.arn)
        end.enter_context(hearing(self.client, "before-send.dynamodb", self.answer))

    def change(self, text: str) -> None:
        self.secrets.put_secret_value(SecretId=self.arn, SecretString=text)

    def put(self) -> None:
        self.client.put_item(TableName="orders", Item={"k": {"S": "1"}})

    def answer(self, request: Any, **_: Any) -> AWSResponse | None:
        authorization = request.headers["Authorization"].decode()
        key = authorization.partition("Credential=")[2].partition("/")[0]
        self.calls.append(key)
        if key not in self.refused:
            return None
        body = io.BytesIO(json.dumps({"__type": f"com.amazon#{self.refusal}"}).encode())
        raw: Any = body
        raw.stream = lambda **_: iter([body.getvalue()])
        return AWSResponse(request.url, 400, HTTPHeaders(), raw)


@pytest.fixture
def abroad(monkeypatch: pytest.MonkeyPatch) -> Iterator[Abroad]:
    monkeypatch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled")
    with mock_aws(), read_once(), ExitStack() as end:
        yield Abroad(end)


def test_calls_are_signed_with_the_keys_in_the_secret(abroad: Abroad) -> None:
    abroad.put()
    assert abroad.calls == ["OLDKEY"]


def test_the_secret_is_read_once_for_many_calls(abroad: Abroad) -> None:
    abroad.change(told("NEWKEY"))
    for _ in range(3):
        abroad.put()
    assert abroad.calls == ["OLDKEY"] * 3


@pytest.mark.parametrize(
    "refusal",
    [
        "UnrecognizedClientException",
        "InvalidSignatureException",
        "ExpiredTokenException",
        "AccessDeniedException",
    ],
)
def test_a_refused_call_is_made_again_with_what_the_secret_holds_now(
    abroad: Abroad, refusal: str
) -> None:
    abroad.put()
    abroad.change(told("NEWKEY"))
    abroad.refused, abroad.refusal = {"OLDKEY"}, refusal
    abroad.put()
    abroad.put()
    assert abroad.calls == ["OLDKEY", "OLDKEY", "NEWKEY", "NEWKEY"]


def test_keys_that_stay_refused_are_an_error_after_one_more_try(abroad: Abroad) -> None:
    abroad.refused = {"OLDKEY"}
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        abroad.put()
    assert abroad.calls == ["OLDKEY", "OLDKEY"]


def test_when_the_secret_holds_good_keys_at_last_the_next_call_goes_through(abroad: Abroad) -> None:
    abroad.refused = {"OLDKEY"}
    with pytest.raises(ClientError):
        abroad.put()
    abroad.change(told("NEWKEY"))
    abroad.put()
    assert abroad.calls[-1] == "NEWKEY"


def test_other_failures_are_not_taken_for_a_refusal(abroad: Abroad) -> None:
    abroad.change(told("NEWKEY"))
    abroad.refused, abroad.refusal = {"OLDKEY"}, "ValidationException"
    with pytest.raises(ClientError, match="ValidationException"):
        abroad.put()
    assert abroad.calls == ["OLDKEY"]


class Clock:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def key_of(keys: Keys) -> str:
    return str(keys.get_frozen_credentials().access_key)


def test_keys_that_grew_old_are_read_again_though_nobody_refused_them() -> None:
    clock, texts = Clock(), iter([told("OLDKEY"), told("NEWKEY")])
    keys = Keys(lambda: next(texts), clock)
    clock.time = 15 * 60
    assert key_of(keys) == "OLDKEY"
    clock.time += 1
    assert [key_of(keys), key_of(keys)] == ["NEWKEY"] * 2


def test_while_the_secret_cannot_be_read_the_keys_that_were_read_serve_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, texts = Clock(), iter([told("OLDKEY"), "no keys", told("NEWKEY")])
    keys = Keys(lambda: next(texts), clock)
    clock.time = 16 * 60
    with caplog.at_level(logging.WARNING):
        assert key_of(keys) == "OLDKEY"
    assert "cannot be read again" in caplog.text
    clock.time *= 2
    assert key_of(keys) == "NEWKEY"


def test_a_call_that_is_refused_while_the_keys_are_being_read_waits_for_them() -> None:
    being_read, may_go_on = threading.Event(), threading.Event()
    texts = iter([told("OLDKEY")])

    def read() -> str:
        if text := next(texts, None):
            return text
        being_read.set()
        may_go_on.wait(30)
        return told("NEWKEY")

    keys = Keys(read)
    refused = (None, {"Error": {"Code": "UnrecognizedClientException"}})

    def retried() -> str:
        assert keys.on_answer(refused, attempts=1) == 0
        return key_of(keys)

    with ThreadPoolExecutor() as pool:
        first = pool.submit(retried)
        assert being_read.wait(30)
        second = pool.submit(retried)
        may_go_on.set()
        assert [first.result(), second.result()] == ["NEWKEY"] * 2


def test_temporary_keys_are_taken_with_their_token() -> None:
    frozen = Keys(lambda: told("KEY", SessionToken="TOKEN")).get_frozen_credentials()
    assert (frozen.access_key, frozen.secret_key, frozen.token) == ("KEY", "none", "TOKEN")


@pytest.mark.parametrize("text", ["hush", "[]", '{"AccessKeyId": "hush"}', told("")])
def test_a_secret_without_keys_is_told_and_not_shown(text: str) -> None:
    with pytest.raises(KeysError, match="create-access-key") as error:
        Keys(lambda: text)
    assert "hush" not in str(error.value)
