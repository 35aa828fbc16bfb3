"""Faults of a running ring, started at the same moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from local.faults.active import ActiveFaults
from local.faults.fault import FaultError, FaultRequest


def test_of_two_faults_of_one_kind_that_start_at_once_one_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @contextmanager
    def slow(*_: object) -> Iterator[None]:
        time.sleep(0.05)
        yield

    monkeypatch.setattr("local.faults.active.effect", slow)
    member = SimpleNamespace(name="us-east-1", region="us-east-1")
    ring: Any = SimpleNamespace(member=lambda _: member, members={"us-east-1": member})
    server: Any = None
    faults, both = ActiveFaults(ring, server), threading.Barrier(2)

    def start(_: int) -> bool:
        both.wait()
        try:
            faults.start(FaultRequest("outage", "us-east-1", None, 60.0))
        except FaultError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(start, range(2))) == [False, True]
    assert len(faults.list()) == 1
    faults.clear()
