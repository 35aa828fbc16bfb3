"""What goes wrong with a region's tables, while somebody says so: outages, throttling."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from local.endpoint.request_counter import READS, WRITES, region_of

Fault = Callable[[str, str], bytes | None]
"""Given the region and the operation of a call to a table's items: the answer that refuses it, or
None. Raises `NoAnswerError` where there is no answer."""

_THROTTLED = json.dumps(
    {
        "__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
        "message": "The level of configured provisioned throughput for the table was exceeded.",
    }
).encode()


class NoAnswerError(Exception):
    """The connection is to be closed without an answer."""


class Faults:
    """The faults of a server. May be used from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: tuple[Fault, ...] = ()

    @contextmanager
    def put(self, fault: Fault) -> Iterator[None]:
        """Let a fault befall the calls while the context lasts."""
        with self._lock:
            self._faults = (*self._faults, fault)
        try:
            yield
        finally:
            with self._lock:
                self._faults = tuple(one for one in self._faults if one is not fault)

    def refusal(self, target: str, authorization: str) -> bytes | None:
        """Return what refuses a request, the body of an answer with status 400, or None.

        `target` is the X-Amz-Target header. Raises `NoAnswerError`.
        """
        service, _, operation = target.partition(".")
        if not self._faults or operation not in WRITES | READS or "Streams" in service:
            return None
        answers = (fault(region_of(authorization), operation) for fault in self._faults)
        return next((answer for answer in answers if answer is not None), None)


def outage(region: str) -> Fault:
    """Let no call to a region's tables be answered."""

    def fault(called: str, _: str) -> None:
        if called == region:
            raise NoAnswerError(f"{region} does not answer.")

    return fault


def throttling(region: str, share: float, seed: int = 0) -> Fault:
    """Refuse a share (0 to 1) of the calls to a region's tables, drawn under a seed."""
    draws, lock = random.Random(seed), threading.Lock()

    def fault(called: str, _: str) -> bytes | None:
        if called != region:
            return None
        with lock:
            return _THROTTLED if draws.random() < share else None

    return fault
