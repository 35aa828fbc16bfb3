"""Keys for another partition: read from a secret, kept, and read again when they are refused."""

import asyncio
import datetime
import json
import logging
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from handler.aws.clients import Http, make_api
from handler.aws.secret_credentials import SecretCredentials, SecretCredentialsError
from handler.errors import is_transient
from handler.retry import RetryBudget
from tests.support.botocore_json import read_once
from tests.support.http_host import Guest, host


def secret(key: str, **more: str) -> str:
    return json.dumps({"AccessKeyId": key, "SecretAccessKey": "none", **more})


class Abroad:
    """A secret on this side, and a table in another partition that refuses keys on demand."""

    def __init__(self) -> None:
        self.refused: set[str] = set()
        self.refusal = "UnrecognizedClientException"
        self.message = "no"
        self.calls: list[str] = []
        """The access key of each call."""
        self.dates: list[str] = []
        self.secrets: Any = boto3.client("secretsmanager", region_name="us-east-1")
        self.arn = self.secrets.create_secret(Name="ring", SecretString=secret("OLDKEY"))["ARN"]

    def change(self, text: str) -> None:
        self.secrets.put_secret_value(SecretId=self.arn, SecretString=text)

    def put(self) -> None:
        self.run(self.call("PutItem", {"TableName": "orders", "Item": {"k": {"S": "1"}}}))

    def connect(self, port: int, http: Http, end: ExitStack) -> None:
        """Let calls be made to that port."""
        pool = end.enter_context(ThreadPoolExecutor(2))
        self.run: Any = end.enter_context(asyncio.Runner(loop_factory=asyncio.new_event_loop)).run
        end.enter_context(
            patch.dict(os.environ, AWS_ENDPOINT_URL_DYNAMODB=f"http://127.0.0.1:{port}")
        )
        self.call = make_api("cn-north-1", pool, self.arn, http)

    def serve(self, guest: Guest) -> None:
        """Answer each request by the keys that it is signed with."""
        while True:
            guest.receive()
            lines = guest.head.decode().lower().split("\r\n")
            headers = dict(line.split(": ", 1) for line in lines[1:] if line)
            key = headers["authorization"].partition("credential=")[2].partition("/")[0].upper()
            self.calls.append(key)
            self.dates.append(headers["x-amz-date"])
            error = {"__type": f"com.amazon#{self.refusal}", "message": self.message}
            if key in self.refused:
                guest.say(json.dumps(error).encode(), status=400)
            else:
                guest.say(b"{}")


@pytest.fixture(params=["own", "boto3"])
def abroad(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Abroad]:
    """Calls are made by each HTTP client in turn."""
    monkeypatch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled")
    with mock_aws(), read_once(), ExitStack() as end:
        made = Abroad()
        at = end.enter_context(host(made.serve))
        made.connect(at.port, request.param, end)
        yield made


def test_calls_are_signed_with_the_keys_in_the_secret(abroad: Abroad) -> None:
    abroad.put()
    assert abroad.calls == ["OLDKEY"]


def test_the_secret_is_read_once_for_many_calls(abroad: Abroad) -> None:
    abroad.change(secret("NEWKEY"))
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
    abroad.change(secret("NEWKEY"))
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
    abroad.change(secret("NEWKEY"))
    abroad.put()
    assert abroad.calls[-1] == "NEWKEY"


EXPIRED = "Signature expired: 20180920T174101Z is now earlier than 20180920T174504Z"


def test_a_signature_of_the_wrong_time_is_no_refusal_of_the_keys(abroad: Abroad) -> None:
    abroad.change(secret("NEWKEY"))
    abroad.refused, abroad.refusal = {"OLDKEY"}, "InvalidSignatureException"
    abroad.message = EXPIRED
    with pytest.raises(ClientError, match="Signature expired"):
        abroad.put()
    assert abroad.calls == ["OLDKEY"]


def test_a_call_whose_signature_has_expired_is_made_again_with_one_of_that_moment(
    abroad: Abroad, monkeypatch: pytest.MonkeyPatch
) -> None:
    abroad.refused, abroad.refusal = {"OLDKEY"}, "InvalidSignatureException"
    abroad.message = EXPIRED
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=12)

    async def half_a_day(_: float) -> None:
        abroad.refused.clear()
        monkeypatch.setattr("handler.aws.http_client.time.time", later.timestamp)
        monkeypatch.setattr(
            "botocore.auth.get_current_datetime", lambda: later.replace(tzinfo=None)
        )

    patience = RetryBudget(
        lambda: 60.0, is_transient, reserve_seconds=9.0, max_concurrency=1, pause=half_a_day
    )
    abroad.run(patience.retry(lambda: abroad.call("PutItem", {"TableName": "orders"})))
    refused, done = (datetime.datetime.strptime(date, "%Y%m%dt%H%M%Sz") for date in abroad.dates)
    assert done - refused > datetime.timedelta(hours=11)


def test_other_failures_are_not_taken_for_a_refusal(abroad: Abroad) -> None:
    abroad.change(secret("NEWKEY"))
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


def key_of(keys: SecretCredentials) -> str:
    return str(keys.get_frozen_credentials().access_key)


def test_keys_that_grew_old_are_read_again_though_nobody_refused_them() -> None:
    clock, texts = Clock(), iter([secret("OLDKEY"), secret("NEWKEY")])
    keys = SecretCredentials(lambda: next(texts), clock)
    clock.time = 15 * 60
    assert key_of(keys) == "OLDKEY"
    clock.time += 1
    assert [key_of(keys), key_of(keys)] == ["NEWKEY"] * 2


def test_while_the_secret_cannot_be_read_the_keys_that_were_read_serve_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, texts = Clock(), iter([secret("OLDKEY"), "no keys", secret("NEWKEY")])
    keys = SecretCredentials(lambda: next(texts), clock)
    clock.time = 16 * 60
    with caplog.at_level(logging.WARNING):
        assert key_of(keys) == "OLDKEY"
    assert "The secret cannot be read" in caplog.text
    clock.time *= 2
    assert key_of(keys) == "NEWKEY"


def test_a_call_that_is_refused_while_the_keys_are_being_read_waits_for_them() -> None:
    being_read, may_go_on = threading.Event(), threading.Event()
    texts = iter([secret("OLDKEY")])

    def read() -> str:
        if text := next(texts, None):
            return text
        being_read.set()
        may_go_on.wait(30)
        return secret("NEWKEY")

    keys = SecretCredentials(read)
    refused = ClientError({"Error": {"Code": "UnrecognizedClientException"}}, "PutItem")

    def retried() -> str:
        assert keys.refresh_after(refused)
        return key_of(keys)

    with ThreadPoolExecutor() as pool:
        first = pool.submit(retried)
        assert being_read.wait(30)
        second = pool.submit(retried)
        may_go_on.set()
        assert [first.result(), second.result()] == ["NEWKEY"] * 2


def test_temporary_keys_are_taken_with_their_token() -> None:
    frozen = SecretCredentials(lambda: secret("KEY", SessionToken="TOKEN")).get_frozen_credentials()
    assert (frozen.access_key, frozen.secret_key, frozen.token) == ("KEY", "none", "TOKEN")


@pytest.mark.parametrize(
    "text", ["hush", "", "[]", "[" * 200_000, '{"AccessKeyId": "hush"}', secret("")]
)
def test_a_secret_without_keys_is_reported_and_not_shown(text: str) -> None:
    with pytest.raises(SecretCredentialsError, match="create-access-key") as error:
        SecretCredentials(lambda: text)
    assert "hush" not in str(error.value)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("AccessKeyId", "HUSH\r\nx-amz-target: DynamoDB_20120810.DeleteTable"),
        ("AccessKeyId", "HUSH\n"),
        ("AccessKeyId", "HUSH/20230101"),
        ("AccessKeyId", "HUSH\u00e9"),
        ("AccessKeyId", "\u0661\u0662"),
        ("AccessKeyId", "H" * 129),
        ("AccessKeyId", {"hush": "HUSH"}),
        ("AccessKeyId", 4711),
        ("SecretAccessKey", "hush\n"),
        ("SecretAccessKey", "hush hush"),
        ("SecretAccessKey", ["hush"]),
        ("SessionToken", "hush\r\nhost: elsewhere"),
        ("SessionToken", "hush\x00"),
        ("SessionToken", "hush\x7f"),
        ("SessionToken", 5),
    ],
)
def test_keys_that_no_header_line_can_hold_are_refused_and_not_shown(part: str, value: Any) -> None:
    whole = {"AccessKeyId": "KEY", "SecretAccessKey": "none", part: value}
    named = {"AccessKeyId": "access key id", "SecretAccessKey": "secret access key"}
    with pytest.raises(SecretCredentialsError, match=named.get(part, "session token")) as error:
        SecretCredentials(lambda: json.dumps(whole))
    assert "hush" not in str(error.value).lower()


def test_while_the_secret_holds_such_keys_those_that_were_read_serve_on() -> None:
    clock, texts = Clock(), iter([secret("OLDKEY"), secret("NEW KEY"), secret("NEWKEY")])
    keys = SecretCredentials(lambda: next(texts), clock)
    clock.time = 16 * 60
    assert key_of(keys) == "OLDKEY"
    clock.time *= 2
    assert key_of(keys) == "NEWKEY"
