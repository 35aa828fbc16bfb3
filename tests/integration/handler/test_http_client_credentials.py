"""Credentials of calls over HTTP: expired, refused, replaced."""

import asyncio
import datetime
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.credentials import Credentials, RefreshableCredentials
from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
)

from handler.aws.http_client import CredentialCache, HttpApi
from handler.aws.http_response import Response
from handler.aws.secret_clients import SecretBotocoreApi
from handler.aws.secret_credentials import SecretCredentials, SecretCredentialsError
from handler.aws.sigv4 import SigV4Signer
from handler.errors import FailureKind, classify, is_transient
from handler.retry import RetryBudget
from tests.support.http_calls import KEYS, OK, Line, call, refused, signer_of


def expiring(*replies: Any) -> RefreshableCredentials:
    """Keys that have expired, and what is had instead, each time in turn: a name or an error."""
    turns = iter(replies)

    def refresh() -> dict[str, str]:
        reply = next(turns)
        if isinstance(reply, Exception):
            raise reply
        later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
        fields = {"access_key": reply, "secret_key": "hush", "token": "TOKEN"}
        return {**fields, "expiry_time": later.isoformat()}

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
        looks_so_far = []
        for moment in (0.0, 0.9, 1.0, -3600.0):
            now = 1_700_000_000.0 + moment
            await asyncio.gather(*(wallet.credentials() for _ in range(20)))
            looks_so_far.append(keys.looks)
        return looks_so_far

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


def test_who_is_stopped_while_keys_are_looked_at_leaves_them_to_the_others(
    pool: ThreadPoolExecutor,
) -> None:
    wallet = CredentialCache(Counted("KEY", "hush"), pool)

    async def by_two() -> Any:
        stopped, other = (asyncio.ensure_future(wallet.credentials()) for _ in range(2))
        await asyncio.sleep(0)
        stopped.cancel()
        return await other

    assert asyncio.run(by_two()).access_key == "KEY"


class SlowAt(Counted):
    """Keys that take longer at one of the looks than a refresh may take in these tests."""

    def __init__(self, slow_look: int) -> None:
        super().__init__("KEY", "hush")
        self._slow_look = slow_look

    def get_frozen_credentials(self) -> Any:
        """See Credentials."""
        found = super().get_frozen_credentials()
        if self.looks == self._slow_look:
            time.sleep(0.1)
        return found


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have keys looked at for each call, and let a look take half of what a slow one takes."""
    monkeypatch.setattr("handler.aws.http_client._FRESH_SECONDS", 0.0)
    monkeypatch.setattr("handler.aws.refresh_time._QUICK_SECONDS", 0.05)


@pytest.mark.usefixtures("quick")
def test_no_request_is_made_after_a_slow_refresh_but_the_next_one_is(
    pool: ThreadPoolExecutor,
) -> None:
    line, wallet = Line(OK, OK), CredentialCache(SlowAt(2), pool)
    call(line, wallet)
    with pytest.raises(CredentialRetrievalError, match="too little time") as error:
        call(line, wallet)
    assert classify(error.value) is FailureKind.TRANSIENT
    assert len(line.sent) == 1
    call(line, wallet)
    assert len(line.sent) == 2


@pytest.mark.usefixtures("quick")
def test_the_first_keys_of_a_process_may_take_long(pool: ThreadPoolExecutor) -> None:
    line = Line(OK)
    call(line, CredentialCache(SlowAt(1), pool))
    assert len(line.sent) == 1


@pytest.mark.usefixtures("quick")
def test_a_request_whose_time_goes_to_a_slow_refresh_does_not_outlast_the_function(
    pool: ThreadPoolExecutor,
) -> None:
    line, wallet = Line(OK, OK), CredentialCache(SlowAt(2), pool)
    call(line, wallet)
    left = iter([60.0, 9.5, 2.9])
    budget = RetryBudget(lambda: next(left), is_transient, reserve_seconds=9.0, max_concurrency=1)
    api = HttpApi(line, SigV4Signer("here", "eu-west-1"), wallet)
    with pytest.raises(CredentialRetrievalError):
        asyncio.run(budget.retry(lambda: budget.limit(lambda: api("GetItem", {}))))
    assert len(line.sent) == 1


def test_without_keys_no_call_is_made(pool: ThreadPoolExecutor) -> None:
    line = Line(OK)
    with pytest.raises(NoCredentialsError) as error:
        call(line, CredentialCache(None, pool))
    assert classify(error.value) is FailureKind.FAULT
    assert line.sent == []


def secret(
    *texts: str, slow: str = "", now: Callable[[], float] = time.monotonic
) -> SecretCredentials:
    """Keys from a secret that holds these, each time in turn; `slow` takes long to read."""
    turns = iter(texts)

    def read() -> str:
        text = next(turns)
        time.sleep(0.1 if text == slow else 0.0)
        return json.dumps({"AccessKeyId": text, "SecretAccessKey": "hush"})

    return SecretCredentials(read, now)


def test_a_call_that_is_refused_for_its_keys_is_made_again_with_what_the_secret_holds_now(
    pool: ThreadPoolExecutor,
) -> None:
    line = Line(refused("UnrecognizedClientException"), OK, OK)
    wallet = CredentialCache(secret("OLD", "NEW"), pool)
    call(line, wallet, ("PutItem", {"a": 1}), ("GetItem", {}))
    assert [signer_of(headers) for headers, _ in line.sent] == ["OLD", "NEW", "NEW"]
    assert [document for _, document in line.sent] == [{"a": 1}, {"a": 1}, {}]


@pytest.mark.usefixtures("quick")
def test_a_call_that_is_refused_is_not_made_again_after_a_slow_read_of_the_secret(
    pool: ThreadPoolExecutor,
) -> None:
    line = Line(refused("UnrecognizedClientException"), OK)
    wallet = CredentialCache(secret("OLD", "NEW", slow="NEW"), pool)
    with pytest.raises(CredentialRetrievalError, match="too little time"):
        call(line, wallet)
    call(line, wallet)
    assert [signer_of(headers) for headers, _ in line.sent] == ["OLD", "NEW"]


@pytest.mark.usefixtures("quick")
def test_nor_is_a_call_whose_refusal_itself_took_long(pool: ThreadPoolExecutor) -> None:
    class SlowLine(Line):
        async def send(self, request: bytes) -> Response:
            """See Connections."""
            if not self.sent:
                await asyncio.sleep(0.1)
            return await super().send(request)

    line = SlowLine(refused("UnrecognizedClientException"), OK)
    wallet = CredentialCache(secret("OLD", "NEW"), pool)
    with pytest.raises(CredentialRetrievalError, match="too little time") as error:
        call(line, wallet)
    assert classify(error.value) is FailureKind.TRANSIENT
    call(line, wallet)
    assert [signer_of(headers) for headers, _ in line.sent] == ["OLD", "NEW"]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("slow", ["refusal", "read", "stale keys"])
def test_nor_is_one_of_botocores_client(pool: ThreadPoolExecutor, slow: str) -> None:
    signers: list[str] = []
    now, step = 0.0, 10_000.0 if slow == "stale keys" else 0.0

    class Client:
        def __init__(self, key: str) -> None:
            self._key = key

        def get_item(self, **_: Any) -> Any:
            signers.append(self._key)
            if self._key == "NEW":
                return {}
            time.sleep(0.1 if slow == "refusal" else 0.0)
            raise ClientError({"Error": {"Code": "UnrecognizedClientException"}}, "GetItem")

    wallet = secret("OLD", "NEW", slow="" if slow == "refusal" else "NEW", now=lambda: now)
    api = SecretBotocoreApi(wallet, lambda pair: Client(pair.access_key), pool)
    now = step
    with pytest.raises(CredentialRetrievalError, match="too little time") as error:
        asyncio.run(api("GetItem", {}))
    assert classify(error.value) is FailureKind.TRANSIENT
    assert asyncio.run(api("GetItem", {})) == {}
    assert signers == (["NEW"] if slow == "stale keys" else ["OLD", "NEW"])


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
