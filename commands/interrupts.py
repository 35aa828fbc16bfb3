"""End a command by Ctrl-C or SIGTERM, whatever Python is doing when the signal arrives."""

from __future__ import annotations

import signal
import socket
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

_AGAIN = 0.02  # seconds
_TIMES = 3


@contextmanager
def sigterm_as_interrupt() -> Iterator[None]:
    """Let SIGTERM end a command in order, as Ctrl-C does; neither is lost. For the main thread."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with _repeated_interrupts(), _woken_by_signals():
            yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _repeated_interrupts() -> Iterator[None]:
    """Interrupt the main thread again if Python drops an interrupt.

    It drops any exception in a finalizer or a weak reference's callback, and runs these all the
    time.
    """
    over = threading.Event()
    before = sys.unraisablehook

    def interrupt() -> None:
        if not over.wait(_AGAIN):
            _signal_main_thread(signal.SIGINT)

    def on_dropped(dropped: sys.UnraisableHookArgs) -> None:
        if dropped.exc_type is KeyboardInterrupt:
            threading.Thread(target=interrupt, daemon=True).start()
        else:
            before(dropped)

    sys.unraisablehook = on_dropped
    try:
        yield
    except KeyboardInterrupt as interrupted:
        # What it left half made, as an event loop, fails when it is collected: now, unheard.
        sys.unraisablehook = lambda _: None
        traceback.clear_frames(interrupted.__traceback__)
        raise
    finally:
        over.set()
        sys.unraisablehook = before


@contextmanager
def _woken_by_signals() -> Iterator[None]:
    """Wake the main thread after each signal.

    Python handles a signal in the main thread when that runs again. It may wait for long: where the
    system gave the signal to another thread, or just before the main one began to wait.
    https://docs.python.org/3/library/signal.html#signal.set_wakeup_fd
    """
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    over = threading.Event()

    def wake() -> None:
        while number := reader.recv(1):
            for _ in range(_TIMES if number[0] != signal.SIGURG else 0):
                if not over.wait(_AGAIN):
                    _signal_main_thread(signal.SIGURG)

    before = signal.signal(signal.SIGURG, _ignore)
    file_before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    thread = threading.Thread(target=wake, name="wake", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        signal.set_wakeup_fd(file_before)
        writer.close()
        thread.join()
        reader.close()
        signal.signal(signal.SIGURG, before)


def _ignore(*_: object) -> None:
    """Handle a signal by nothing: it has ended the wait."""


def _signal_main_thread(number: signal.Signals) -> None:
    signal.pthread_kill(threading.main_thread().ident or 0, number)
