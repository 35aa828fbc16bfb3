"""Rate limit in capacity units: a token bucket, and its hooks for a boto3 client."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from operate.stop import Stop, StoppedError

_CALLS = ("Scan", "GetItem", "BatchGetItem", "PutItem", "DeleteItem")


class RateLimiter:
    """Token bucket of capacity units per second; `rate` None: no limit. Thread-safe.

    The units of a call are known only from its response. So a call first takes as many as the last
    call of the same operation, and is corrected afterwards.
    """

    def __init__(
        self,
        rate: float | None,
        now: Callable[[], float] = time.monotonic,
        stop: Stop | None = None,
    ) -> None:
        self.spent = 0.0
        """Capacity units consumed so far."""
        self.stop = stop or Stop()
        """When requested, calls no longer wait."""
        self._rate = rate
        self._now = now
        self._lock = threading.Lock()
        self._left = rate or 0.0  # a burst of one second's units is allowed
        self._updated = now()
        self._last: dict[str, float] = {}
        self._begun = threading.local()  # the units that this thread's call has taken in advance

    def take(self, units: float) -> float:
        """Take units and return the seconds to wait before they may be used."""
        with self._lock:
            self.spent += units
            if self._rate is None:
                return 0.0
            now = self._now()
            self._left = min(self._rate, self._left + (now - self._updated) * self._rate) - units
            self._updated = now
            return max(0.0, -self._left / self._rate)

    def begin(self, call: str) -> float:
        """Take the expected units of a call and return the seconds to wait before it."""
        self._begun.units = self._last.get(call, 1.0)
        return self.take(self._begun.units)

    def wait(self, call: str) -> None:
        """Wait until a call is allowed.

        After a stop request, calls do not wait, so that work in progress is finished.

        Raises:
            StoppedError: A stop was requested, and the call is a scan, which would start new work.
        """
        try:
            self.stop.sleep(self.begin(call))
        except StoppedError:
            if call == "Scan":
                raise

    def end(self, call: str, units: float) -> None:
        """Correct the units taken for this thread's call by those that it consumed."""
        self.take(units - self._begun.units)
        self._last[call] = units


def attach_rate_limiter(client: Any, limiter: RateLimiter) -> None:
    """Make a client's item calls wait for a rate limiter, and report their consumed units to it.

    Responses contain these units on request (`ReturnConsumedCapacity`):
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
    """

    def request_units(params: dict[str, Any], **_: Any) -> None:
        params["ReturnConsumedCapacity"] = "TOTAL"

    def wait(model: Any, **_: Any) -> None:
        limiter.wait(model.name)

    def report(model: Any, parsed: Mapping[str, Any], **_: Any) -> None:
        consumed = parsed.get("ConsumedCapacity")
        if consumed:  # an error response has none
            tables = consumed if isinstance(consumed, list) else [consumed]
            limiter.end(model.name, sum(float(table["CapacityUnits"]) for table in tables))

    hooks = {"before-parameter-build": request_units, "before-call": wait, "after-call": report}
    for call in _CALLS:
        for event, hook in hooks.items():
            name, once = f"{event}.dynamodb.{call}", f"ring-pace-{event}"
            client.meta.events.unregister(name, unique_id=once)
            client.meta.events.register(name, hook, unique_id=once)
