"""Measure the cost of TLS, and of the SDK's client instead of the hop's own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from unittest.mock import patch

from benchmarks.contenders import Contender, Handler, OneByOne, environment
from benchmarks.records import Load
from benchmarks.screen import Screen, number, times
from benchmarks.speed import Speed, one_core, speed_of
from benchmarks.target import Conduct, target
from handler import app

_FEW = 100
_LOADS = (Load("inserts", count=2_000), Load("updates", count=2_000))
_COLUMNS = (
    *("", "(a) records/s", "(a) CPU ms"),
    *("hop records/s", "hop CPU ms", "hop CPU"),
    *("hop by boto3 records/s", "hop by boto3 CPU ms", "hop by boto3 CPU"),
)


def run(screen: Screen, scale: float) -> None:
    """Measure both clients with and without TLS, and print the table."""
    cases = [(load, tls) for load in _LOADS for tls in (False, True)]
    title = "By transport and client: records of 200 bytes, 20 ms"
    rows = []
    for load, tls in screen.progress(title, cases):
        few = replace(load, count=max(_FEW, int(load.count * scale)))
        one, own, sdk = _measure(few, Conduct(20, tls=tls))
        rows.append(
            [
                f"{load.kind}, {'TLS' if tls else 'HTTP'}",
                *(number(one.rate), number(one.cpu)),
                *(number(own.rate), number(own.cpu), f"1/{number(one.cpu / own.cpu)}"),
                *(number(sdk.rate), number(sdk.cpu), times(sdk.cpu / own.cpu) + " hop's"),
            ]
        )
    screen.table(title, _COLUMNS, rows)
    screen.say(
        "(a) one conditional PutItem after the other, boto3; hop by boto3: function.http: boto3"
    )


def _measure(load: Load, conduct: Conduct) -> list[Speed]:
    records = load.records()
    with target(conduct) as endpoint, one_core(), _environment(endpoint):
        speeds = [speed_of(OneByOne(), records[:_FEW])]
        for http in ("own", "boto3"):
            with patch.dict(os.environ, RING_HTTP=http), _restarted() as hop:
                speeds.append(speed_of(hop, records))
        return speeds


@contextmanager
def _environment(endpoint: str) -> Iterator[None]:
    with patch.dict(os.environ, environment(endpoint)):
        yield


@contextmanager
def _restarted() -> Iterator[Contender]:
    """Yield the handler with its runtime created again from the environment."""
    app._runtime.cache_clear()
    try:
        yield Handler()
    finally:
        app._runtime.cache_clear()
