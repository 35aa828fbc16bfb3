"""The feed of a page."""

from __future__ import annotations

import threading

import pytest

from page import feed
from page.feed import Feed
from page.reading import Reading
from page.view import View


class Silent:
    """A ring that does not answer before `answer` is set."""

    label = "silent"
    is_local = True
    seconds = 0.0

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.answer = threading.Event()
        self.closed = False

    def read(self) -> Reading:
        self.asked.set()
        self.answer.wait()
        return Reading(0.0)

    def close(self) -> None:
        self.closed = True


def test_a_ring_that_does_not_answer_does_not_hold_the_end_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed, "_PATIENCE", 0.01)
    ring = Silent()
    with Feed(ring, View(ring.label, is_local=True)):
        ring.asked.wait()
    assert ring.closed
    ring.answer.set()
