"""Ctrl-C and SIGTERM during a command."""

from __future__ import annotations

import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable

import pytest

from commands.interrupts import sigterm_as_interrupt

DEADLINE = 60.0
BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


def while_collecting(action: Callable[[], object]) -> None:
    """Do something where Python drops its exceptions."""
    collected = set[int]()
    reference = weakref.ref(collected, lambda _: action())
    del collected
    assert reference() is None


@BOTH
def test_a_signal_interrupts_a_command(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt), sigterm_as_interrupt():
        signal.raise_signal(number)


@BOTH
def test_a_signal_whose_exception_python_drops_interrupts_a_command_too(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    def work() -> None:
        while_collecting(lambda: signal.raise_signal(number))
        threading.Event().wait(DEADLINE)
        pytest.fail("it was not interrupted")

    with pytest.raises(KeyboardInterrupt), sigterm_as_interrupt():
        work()
    assert capsys.readouterr().err == ""


@BOTH
def test_a_signal_that_another_thread_gets_interrupts_a_command_that_waits(
    number: signal.Signals,
) -> None:
    """As when it arrives just before the main thread begins to wait."""
    over = threading.Event()
    other = threading.Thread(target=over.wait, daemon=True)
    other.start()

    def signal_it() -> None:
        signal.pthread_kill(other.ident or 0, number)

    began = time.monotonic()
    threading.Timer(0.2, signal_it).start()
    with pytest.raises(KeyboardInterrupt), sigterm_as_interrupt():
        threading.Event().wait(DEADLINE)
    over.set()
    assert time.monotonic() - began < DEADLINE / 2


class _HalfMade:
    """As an event loop whose constructor was interrupted."""

    def __del__(self) -> None:
        raise AttributeError("it has no socket")


@BOTH
def test_what_a_signal_leaves_half_made_is_not_reported(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", reported.append)

    def work() -> None:
        half_made = _HalfMade()
        signal.raise_signal(number)
        pytest.fail(f"it was not interrupted, and made {half_made}")

    try:
        with sigterm_as_interrupt():
            work()
    except KeyboardInterrupt:
        pass
    assert reported == []


def test_another_exception_that_python_drops_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reported: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", reported.append)
    with sigterm_as_interrupt():
        while_collecting(lambda: 1 / 0)
    assert len(reported) == 1
