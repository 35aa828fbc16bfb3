"""A rate limit in capacity units: a token bucket, and how it is put on a client's calls."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from operate.stop import Stop, StoppedError

_CALLS = ("Scan", "GetItem", "BatchGetItem", "PutItem", "DeleteItem")


class RateLimiter:
    """So many capacity units a second; threads may share it. `rate` None: no limit.

    What a call takes is known when it is answered. So a call first takes what the last one of its
    kind took, and the difference afterwards.
    """

    def __init__(
        self,
        rate: float | None,
        now: Callable[[], float] = time.monotonic,
        stop: Stop | None = None,
    ) -> None:
        self.spent = 0.0
        """Capacity units so far."""
        self.stop = stop or Stop()
        """Asks calls to wait no longer."""
        self._rate = rate
        self._now = now
        self._lock = threading.Lock()
        self._left = rate or 0.0  # as much as a second's may be taken at once
        self._at = now()
        self._last: dict[str, float] = {}
        self._begun = threading.local()  # what the thread's call has taken beforehand

    def take(self, units: float) -> float:
        """Take units; how many seconds to wait until they may be used."""
        with self._lock:
            self.spent += units
            if self._rate is None:
                return 0.0
            at = self._now()
            self._left = min(self._rate, self._left + (at - self._at) * self._rate) - units
            self._at = at
            return max(0.0, -self._left / self._rate)

    def begin(self, call: str) -> float:
        """Take what a call will probably take; how many seconds to wait before it is made."""
        self._begun.units = self._last.get(call, 1.0)
        return self.take(self._begun.units)

    def wait(self, call: str) -> None:
        """Wait until a call may be made, which is then begun.

        Once a stop is asked for, nothing waits: what is under way is to be finished. But a scan
        begins something, so there it raises `StoppedError`.
        """
        try:
            self.stop.sleep(self.begin(call))
        except StoppedError:
            if call == "Scan":
                raise

    def end(self, call: str, units: float) -> None:
        """Set right what a call took that this thread began."""
        self.take(units - self._begun.units)
        self._last[call] = units


def attach_rate_limiter(client: Any, pace: RateLimiter) -> None:
    """Have a client's calls to items wait for their pace, and tell it what they took.

    Every answer says it, if asked to:
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
    """

    def ask(params: dict[str, Any], **_: Any) -> None:
        params["ReturnConsumedCapacity"] = "TOTAL"

    def before(model: Any, **_: Any) -> None:
        pace.wait(model.name)

    def after(model: Any, parsed: Mapping[str, Any], **_: Any) -> None:
        told = parsed.get("ConsumedCapacity")
        if told:  # an answer that is an error says nothing
            tables = told if isinstance(told, list) else [told]
            pace.end(model.name, sum(float(one["CapacityUnits"]) for one in tables))

    hooks = {"before-parameter-build": ask, "before-call": before, "after-call": after}
    for call in _CALLS:
        for event, hook in hooks.items():
            name, once = f"{event}.dynamodb.{call}", f"ring-pace-{event}"
            client.meta.events.unregister(name, unique_id=once)
            client.meta.events.register(name, hook, unique_id=once)
