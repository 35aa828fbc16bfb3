"""Memory that is free is returned to the system, where the C library takes limits."""

from __future__ import annotations

import ctypes
from types import SimpleNamespace

import pytest

from local.memory import return_free_memory


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
