"""The memory of a process that runs a ring."""

from __future__ import annotations

import ctypes
import gc
from types import SimpleNamespace

import pytest

from local.memory import collect_less_often, return_free_memory


def test_glibc_takes_both_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        pytest.skip("another C library")
    library = SimpleNamespace(mallopt=lambda *given: taken.append(mallopt(*given)))
    monkeypatch.setattr(ctypes, "CDLL", lambda _: library)
    return_free_memory()
    assert taken == [1, 1]  # 0 says that it was refused


def test_another_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def other(name: object) -> SimpleNamespace:
        asked.append(name)
        return SimpleNamespace()

    monkeypatch.setattr(ctypes, "CDLL", other)
    return_free_memory()
    assert asked == [None]


def test_garbage_is_collected_less_often_than_by_default_and_not_never() -> None:
    before = gc.get_threshold()
    try:
        gc.set_threshold(700, 10, 10)
        collect_less_often()
        after = gc.get_threshold()
    finally:
        gc.set_threshold(*before)
    assert 700 * 10 * 10 < after[0] * after[1] * after[2] < 100_000_000
    assert gc.isenabled()
