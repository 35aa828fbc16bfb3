"""The faults of a running ring that were started and have not ended."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.faults.effects import NotCleanedUpError, effect
from local.faults.fault import ActiveFault, FaultError
from ring.settings.members import NoSuchMemberError

if TYPE_CHECKING:
    from local.endpoint.fault_injection import Faults
    from local.faults.fault import FaultRequest
    from local.running_ring import RunningRing


@dataclass(frozen=True)
class _Running:
    fault: ActiveFault
    end: ExitStack
    timer: threading.Timer


class ActiveFaults:
    """Start faults, list the active ones, and end them: each by itself at its time. Thread-safe.

    `ring` must run, and `faults` be those of its server.
    """

    def __init__(self, ring: RunningRing, faults: Faults) -> None:
        self._ring = ring
        self._faults = faults
        self._lock = threading.Lock()
        self._starting = threading.Lock()
        """Held from the look whether a fault of a kind is active until it is in the list."""
        self._ids = itertools.count(1)
        self._running: dict[str, _Running] = {}
        self._left: list[Callable[[], None]] = []
        """What faults that have ended could not clean up yet."""

    def start(self, request: FaultRequest) -> ActiveFault:
        """Start a fault. Raises `FaultError` if there is no such member or hop, or it is active."""
        target = self._target(request)
        if request.kind == "poison":  # of which any number may be active, and which may take long
            return self._start(request, target)
        with self._starting:
            self._expect_first(request, target)
            return self._start(request, target)

    def _expect_first(self, request: FaultRequest, target: str) -> None:
        """Raise `FaultError` if a fault of this kind is active there."""
        region = self._ring.members[target].region
        for active in self.list():
            is_there = active.region == region if request.is_of_region else active.target == target
            if active.kind == request.kind and is_there:
                raise FaultError(
                    f"There is a fault of this kind already: {active.text}. Clear it first: "
                    f"`fault clear {active.id}`."
                )

    def _start(self, request: FaultRequest, target: str) -> ActiveFault:
        end, began = ExitStack(), time.time()
        end.enter_context(effect(self._ring, self._faults, request))
        fault = ActiveFault(
            str(next(self._ids)),
            request.kind,
            target,
            self._ring.members[target].region,
            request.value,
            began,
            began + request.seconds,
        )
        timer = threading.Timer(request.seconds, self._end, [fault.id])
        timer.daemon = True
        with self._lock:
            self._running[fault.id] = _Running(fault, end, timer)
        timer.start()
        return fault

    def _target(self, request: FaultRequest) -> str:
        try:
            name = self._ring.member(request.target).name
        except NoSuchMemberError as error:
            raise FaultError(f"{request.target}: {error}") from error
        if request.kind in ("delay", "crash", "poison") and not self._ring.hops_from(name):
            raise FaultError(f"No hop of this ring starts at {name}.")
        return name

    def list(self) -> tuple[ActiveFault, ...]:
        """Return the active faults, the oldest first."""
        with self._lock:
            return tuple(running.fault for running in self._running.values())

    def clear(self, id_: str | None = None) -> tuple[ActiveFault, ...]:
        """End a fault, or all without an id; return what has ended. Raises `FaultError`."""
        if id_ is not None:
            fault = self._end(id_)
            if fault is None:
                known = ", ".join(active.id for active in self.list()) or "none"
                raise FaultError(f"No active fault has the id {id_!r}. Active: {known}.")
            return (fault,)
        ended = [self._end(active.id) for active in self.list()]
        return tuple(fault for fault in ended if fault)

    def _end(self, id_: str) -> ActiveFault | None:
        with self._lock:
            running = self._running.pop(id_, None)
        if running is None:
            return None
        running.timer.cancel()
        self._clean_up(running.end.close)
        return running.fault

    def _clean_up(self, end: Callable[[], None]) -> None:
        """End a fault, then clean up what earlier ones left because this one hindered it."""
        with self._lock:
            todo, self._left = [end, *self._left], []
        for step in todo:
            try:
                step()
            except NotCleanedUpError as error:
                with self._lock:
                    self._left.append(error.again)

    @contextmanager
    def ending(self) -> Iterator[None]:
        """End all faults at the end of the context."""
        try:
            yield
        finally:
            self.clear()
