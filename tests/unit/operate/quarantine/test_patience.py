"""Patience of a redrive: with calls that fail, until a record is done."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from handler.retry import DeadlineExceededError
from handler.store.dynamodb import ItemTooLargeError
from operate.quarantine import patience as patience_module
from operate.quarantine.patience import PATIENCE_SECONDS, NoProgressError, Patience

CHANGE: Any = "a change"
HOP: Any = "a hop"


class Clock:
    """A clock that a test sets."""

    seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def patience(clock: Clock) -> Patience:
    return Patience(clock)


def replayed(monkeypatch: pytest.MonkeyPatch, patience: Patience, result: object) -> Any:
    """Replay a change that gives this result, or raises this error."""

    async def replay(*_: object) -> object:
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr(patience_module, "replay", replay)
    return asyncio.run(patience.replay(CHANGE, HOP))


def test_while_nothing_fails_it_does_not_run_out(patience: Patience, clock: Clock) -> None:
    clock.seconds += 24 * 60 * 60
    assert patience.remaining() == PATIENCE_SECONDS


def test_it_runs_from_the_first_of_several_failures(patience: Patience, clock: Clock) -> None:
    assert patience.note_error(OSError("no response"))
    clock.seconds += 40
    assert patience.note_error(OSError("no response"))
    assert patience.remaining() == PATIENCE_SECONDS - 40
    clock.seconds += 30
    assert patience.remaining() < 0


@pytest.mark.parametrize("error", [ValueError("a bug"), ItemTooLargeError("too large")])
def test_an_error_that_does_not_pass_is_not_tried_again_and_takes_no_patience(
    patience: Patience, clock: Clock, error: Exception
) -> None:
    assert not patience.note_error(error)
    clock.seconds += 100
    assert patience.remaining() == PATIENCE_SECONDS


def test_a_record_that_is_replayed_renews_it(
    patience: Patience, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    patience.note_error(OSError("no response"))
    clock.seconds += 59
    assert replayed(monkeypatch, patience, "replicated") == "replicated"
    clock.seconds += 59
    assert patience.remaining() == PATIENCE_SECONDS


def test_so_does_one_that_no_table_takes(
    patience: Patience, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    patience.note_error(OSError("no response"))
    clock.seconds += 59
    with pytest.raises(ItemTooLargeError):
        replayed(monkeypatch, patience, ItemTooLargeError("too large"))
    assert patience.remaining() == PATIENCE_SECONDS


def test_one_that_fails_for_the_moment_does_not(
    patience: Patience, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    patience.note_error(OSError("no response"))
    clock.seconds += 59
    with pytest.raises(OSError, match="no response"):
        replayed(monkeypatch, patience, OSError("no response"))
    assert patience.remaining() == PATIENCE_SECONDS - 59


def test_when_it_has_run_out_the_error_is_about_the_entry_and_not_about_a_function(
    patience: Patience, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NoProgressError, match="stays in the quarantine") as raised:
        replayed(monkeypatch, patience, DeadlineExceededError())
    assert "function" not in str(raised.value)
