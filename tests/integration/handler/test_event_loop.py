"""The loop that a function's calls run in: its connections serve on, and its work ends with it."""

import asyncio
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from handler import app
from handler.event_loop import MeteredSelector, make_runner
from tests.support.http_host import Guest, Host, host
from tests.support.lambda_functions import REGIONS, Left, environment
from tests.support.stream_records import record

NOTHING_FAILED: dict[str, list[dict[str, str]]] = {"batchItemFailures": []}


class KilledError(BaseException):
    """The invocation ends here."""


@pytest.fixture(autouse=True)
def function(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process is the function of a hop."""
    variables = {
        **environment(0, 1),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
        "NO_PROXY": "127.0.0.1",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    app._runtime.cache_clear()
    yield
    app._runtime.cache_clear()


def replaced(request: Mapping[str, Any]) -> dict[str, Any]:
    """What a put is answered that took an item's place."""
    return {"Attributes": request["Item"]}


def take(guest: Guest) -> None:
    """Take every put."""
    while True:
        guest.say(json.dumps(replaced(json.loads(guest.receive()))).encode())


@contextmanager
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """Let the function reach a table that takes every put."""
    with host(take) as at:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{at.port}")
        yield at


def update(number: int, key: str) -> dict[str, Any]:
    return record(number, key, OldImage={"k": {"S": key}, "v": {"S": "old"}})


def handle(*records: dict[str, Any]) -> Any:
    return app.handle({"Records": list(records)}, Left())


def test_the_next_invocation_uses_the_connections_of_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with dynamodb(monkeypatch) as at:
        assert handle(update(1, "a"), update(2, "b")) == NOTHING_FAILED
        made = len(at.guests)
        for number in range(3, 6):
            assert handle(update(number, "a")) == NOTHING_FAILED
        assert len(at.guests) == made


def test_what_an_invocation_that_was_ended_had_in_flight_does_not_go_on_in_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended: list[str] = []
    begun = asyncio.Event()

    async def call(operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        key = request["Item"]["k"]["S"]
        if key == "ends":
            await begun.wait()
            raise KilledError
        if key == "waits":
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(key)
        return replaced(request)

    monkeypatch.setattr(app, "make_api", lambda *_: call)
    with pytest.raises(KilledError):
        handle(update(1, "ends"), update(2, "waits"))
    assert ended == ["waits"]
    assert handle(update(1, "goes")) == NOTHING_FAILED


def test_the_threads_own_loop_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        with dynamodb(monkeypatch):
            assert handle(update(1, "a")) == NOTHING_FAILED
        assert asyncio.get_event_loop() is loop
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def test_the_loop_counts_the_time_that_it_waits_and_not_that_of_work() -> None:
    selector, seconds = MeteredSelector(), 0.2

    async def wait_and_work() -> tuple[float, float]:
        await asyncio.sleep(seconds)
        waited = selector.idle_seconds
        time.sleep(seconds)
        await asyncio.sleep(0)
        return waited, selector.idle_seconds - waited

    with make_runner(selector) as runner:
        waited, worked = runner.run(wait_and_work())
    assert waited > seconds / 2
    assert worked < seconds / 2


def test_each_end_is_called_in_its_own_region() -> None:
    function = app._runtime()
    regions = [call._signer.region for call in (function.source_api, function.target_api)]  # type: ignore[attr-defined]
    assert regions == list(REGIONS[:2])
