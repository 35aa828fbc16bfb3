"""The effects of faults on a running ring, each as a context."""

from __future__ import annotations

import logging
import random
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from local.data.item_size import LIMIT, item_size
from local.endpoint.fault_injection import throttling
from local.faults.fault import FaultError

if TYPE_CHECKING:
    from local.endpoint.fault_injection import Faults
    from local.faults.fault import FaultRequest, Kind
    from local.hop import LocalHop
    from local.running_ring import LocalMember, RunningRing

_LONGEST_WORK = 0.3
"""Seconds of an invocation after which at the latest its process is killed."""
_ATTRIBUTE = "poison"
_RESERVE = 16
"""Bytes of an item that are left free: fewer than the ring's attributes take."""
_MOTO_LIMIT = 405_000
"""moto's limit of an item, below DynamoDB's."""
_log = logging.getLogger(__name__)

Effect = AbstractContextManager[None]


class NotCleanedUpError(Exception):
    """A fault has ended, but not all that it made is gone: another fault hinders that.

    `again` tries once more, and raises this again.
    """

    def __init__(self, again: Callable[[], None]) -> None:
        super().__init__("Something that a fault made is still there.")
        self.again = again


def effect(ring: RunningRing, faults: Faults, request: FaultRequest) -> Effect:
    """Return the context in which a fault is active. Raises `FaultError`, also when entered."""
    return _EFFECTS[request.kind](ring, faults, request)


@contextmanager
def _outage(ring: RunningRing, faults: Faults, request: FaultRequest) -> Iterator[None]:
    """Leave a region unanswered, and stop what runs there, even in the middle of an invocation."""
    region = ring.member(request.target).region

    def is_there(hop: LocalHop) -> bool:
        return hop.function.spec.region == region

    def begin(hop: LocalHop) -> None:
        hop.mapping.lost = True
        hop.function.kill_if_invoked()

    def end(hop: LocalHop) -> None:
        hop.mapping.lost = False
        hop.mapping.poll_now()

    with faults.lose(region), ring.affected(is_there, begin, end):
        yield


def _throttle(ring: RunningRing, faults: Faults, request: FaultRequest) -> Effect:
    assert request.value is not None
    return faults.inject(throttling(ring.member(request.target).region, request.value))


def _delay(ring: RunningRing, _: Faults, request: FaultRequest) -> Effect:
    delay = request.value
    assert delay is not None

    def begin(hop: LocalHop) -> None:
        hop.mapping.reader.delay = delay

    def end(hop: LocalHop) -> None:
        hop.mapping.reader.delay = 0.0
        hop.mapping.poll_now()

    return ring.affected(_starts_at(ring, request), begin, end)


@contextmanager
def _crash(ring: RunningRing, _: Faults, request: FaultRequest) -> Iterator[None]:
    ended, is_killed = threading.Event(), _starts_at(ring, request)

    def kill_repeatedly() -> None:
        while not ended.wait(random.uniform(0.01, _LONGEST_WORK)):
            for hop in filter(is_killed, list(ring.hops.values())):
                hop.function.kill_if_invoked()

    thread = threading.Thread(target=kill_repeatedly, name="crash", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _starts_at(ring: RunningRing, request: FaultRequest) -> Callable[[LocalHop], bool]:
    source = ring.member(request.target).name
    return lambda hop: hop.source == source


@contextmanager
def _poison(ring: RunningRing, _: Faults, request: FaultRequest) -> Iterator[None]:
    """Have an item at a member that is too large with the ring's attributes, which hops add."""
    member = ring.member(request.target)
    key = _new_key(ring)
    try:
        _put_poison(member, key)
    except (ClientError, BotoCoreError) as error:
        raise FaultError(f"{member.name} did not take the item: {error}") from error
    try:
        yield
    finally:
        _delete_poison(member, key)


def _delete_poison(member: LocalMember, key: Mapping[str, Any]) -> None:
    """Delete the item. Raises `NotCleanedUpError` while the region does not take it."""
    try:
        member.client.delete_item(TableName=member.table, Key=key)
    except (ClientError, BotoCoreError) as error:
        _log.info("The item %s of %s is not deleted yet: %s", key, member.name, error)
        raise NotCleanedUpError(partial(_delete_poison, member, key)) from error


def _new_key(ring: RunningRing) -> dict[str, Any]:
    table, number = ring.settings.table, uuid.uuid4().int % 10**12
    values: Mapping[str, Any] = {
        "S": f"poison-{number}",
        "N": str(number),
        "B": f"poison-{number}".encode(),
    }
    return {key.name: {key.type: values[key.type]} for key in table.key_attributes}


def _put_poison(member: LocalMember, key: Mapping[str, Any]) -> None:
    """Put an item as large as the server takes it."""
    try:
        member.client.put_item(TableName=member.table, Item=_poisonous(key, LIMIT))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationException":
            raise
        member.client.put_item(TableName=member.table, Item=_poisonous(key, _MOTO_LIMIT))


def _poisonous(key: Mapping[str, Any], limit: int) -> dict[str, Any]:
    room = limit - _RESERVE - item_size({**key, _ATTRIBUTE: {"S": ""}})
    return {**key, _ATTRIBUTE: {"S": "x" * room}}


_EFFECTS: Mapping[Kind, Callable[[RunningRing, Faults, FaultRequest], Effect]] = {
    "outage": _outage,
    "throttle": _throttle,
    "delay": _delay,
    "crash": _crash,
    "poison": _poison,
}
