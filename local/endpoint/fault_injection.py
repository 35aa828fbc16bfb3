"""Inject faults into requests to a region's tables: outages and throttling."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from local.endpoint.request_counter import READS, WRITES, credential_of, region_of

Fault = Callable[[str, str], bytes | None]
"""Given the region and operation of a request for items: the body of an error response, or None for
no fault. Raises `NoAnswerError` to send no response."""

_THROTTLED = json.dumps(
    {
        "__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
        "message": "The level of configured provisioned throughput for the table was exceeded.",
    }
).encode()


_GLOBAL = frozenset({"iam", "sts"})
"""Services that are answered in an outage of a region: the ring's own accounts need them."""


class NoAnswerError(Exception):
    """The connection must be closed without a response."""


class Faults:
    """The active faults of a server. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: tuple[Fault, ...] = ()
        self._lost: Counter[str] = Counter()

    @contextmanager
    def inject(self, fault: Fault) -> Iterator[None]:
        """Apply a fault to requests while the context lasts."""
        with self._lock:
            self._faults = (*self._faults, fault)
        try:
            yield
        finally:
            with self._lock:
                self._faults = tuple(active for active in self._faults if active is not fault)

    @contextmanager
    def lose(self, region: str) -> Iterator[None]:
        """Leave all requests to a region unanswered while the context lasts.

        Those to the global services too are signed for a region, and are answered.
        """
        with self._lock:
            self._lost[region] += 1
        try:
            yield
        finally:
            with self._lock:
                self._lost[region] -= 1

    def is_lost(self, region: str) -> bool:
        """Return whether no request to a region is answered."""
        return self._lost[region] > 0

    def check_region(self, authorization: str) -> None:
        """Raise `NoAnswerError` if the region is lost for which a request was signed."""
        _, _, region, service, *_ = [*credential_of(authorization).split("/"), "", "", "", ""]
        if service not in _GLOBAL and self.is_lost(region):
            raise NoAnswerError(f"{region} does not answer.")

    def refusal(self, target: str, authorization: str) -> bytes | None:
        """Return the body of the error response (status 400) to a request, None for no fault.

        `target` is the X-Amz-Target header. Raises `NoAnswerError`.
        """
        service, _, operation = target.partition(".")
        if not self._faults or operation not in WRITES | READS or "Streams" in service:
            return None
        bodies = (fault(region_of(authorization), operation) for fault in self._faults)
        return next((body for body in bodies if body is not None), None)


def outage(region: str) -> Fault:
    """Leave all requests to a region's tables unanswered."""

    def fault(called: str, _: str) -> None:
        if called == region:
            raise NoAnswerError(f"{region} does not answer.")

    return fault


def throttling(region: str, share: float, seed: int = 0) -> Fault:
    """Throttle a share (0 to 1) of the requests to a region's tables, at random from a seed."""
    draws, lock = random.Random(seed), threading.Lock()

    def fault(called: str, _: str) -> bytes | None:
        if called != region:
            return None
        with lock:
            return _THROTTLED if draws.random() < share else None

    return fault
