"""What was written under which key, and what the ring may hold under it afterwards."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

Value = int | None
"""The number that a write put into an item; None: there is no item."""


class Ledger:
    """Writes of a soak, acknowledged or not. Thread-safe.

    A key of one writer has, in the end, the value of its last acknowledged write, or of a later one
    whose outcome is unknown. A key that several write has any value that was written: which one
    wins is the ring's decision, and the same at all members.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        """Writes by kind, and those without an answer as `unknown`."""
        self._lock = threading.Lock()
        self._own: dict[str, set[Value]] = {}
        self._shared: dict[str, set[Value]] = {}

    def write(
        self, kind: str, key: str, value: Value, send: Callable[[], object], *, shared: bool
    ) -> None:
        """Send a write and note its outcome; `send` raises an `OSError` or another error."""
        values = self._shared if shared else self._own
        with self._lock:
            # Before it is sent: another member may have it before its answer is here.
            values.setdefault(key, {None}).add(value)
        try:
            send()
        except Exception:
            with self._lock:
                self.counts["unknown"] += 1
            raise
        with self._lock:
            self.counts[kind] += 1
            if not shared:
                values[key] = {value}

    @property
    def acknowledged(self) -> int:
        """Number of writes that were acknowledged."""
        with self._lock:
            return sum(self.counts.values()) - self.counts["unknown"]

    def problems(self, found: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """Return what is wrong with the values that were found, by member and key."""
        wrong = []
        with self._lock:
            for key, allowed in {**self._own, **self._shared}.items():
                for member, values in found.items():
                    if values.get(key) not in allowed:
                        expected = " or ".join(sorted(map(str, allowed))[:5])
                        wrong.append(
                            f"{member} has {values.get(key)} under {key} instead of {expected}"
                        )
        return wrong
