"""Hops that lose, reorder or change records, between their streams and their functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from local.lambda_emulator.function import LocalFunction

Record = dict[str, Any]
Fault = Callable[[list[Record]], list[Record]]
"""Takes a batch's records, and returns those that the function is given."""


class BrokenHops:
    """What the functions are given, and whether their logs have conflicts. Healthy at first."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._fault: Fault | None = None
        self._logs_conflicts = True
        invoke, add_line = LocalFunction.invoke, LocalFunction._add_line

        def broken(function: LocalFunction, event: Any) -> Any:
            if self._fault is None or "Records" not in event:
                return invoke(function, event)
            records = self._fault([dict(record) for record in event["Records"]])
            return invoke(function, {**event, "Records": records}) if records else {}

        def muted(function: LocalFunction, line: str) -> None:
            if self._logs_conflicts or '"conflict"' not in line:
                add_line(function, line)

        monkeypatch.setattr(LocalFunction, "invoke", broken)
        monkeypatch.setattr(LocalFunction, "_add_line", muted)

    @contextmanager
    def broken(self, fault: Fault) -> Iterator[None]:
        """Break all hops while the context lasts."""
        self._fault = fault
        try:
            yield
        finally:
            self._fault = None

    def break_now(self, fault: Fault) -> None:
        """Break all hops until the end of the `broken` context around this."""
        self._fault = fault

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Log no conflicts while the context lasts."""
        self._logs_conflicts = False
        try:
            yield
        finally:
            self._logs_conflicts = True


def without(lost: Callable[[Record], bool]) -> Fault:
    """Lose the records for which this is true."""
    return lambda records: [record for record in records if not lost(record)]


def everything(_: Record) -> bool:
    return True


def of_event(*names: str) -> Callable[[Record], bool]:
    """Select records by their event's name."""
    return lambda record: record["eventName"] in names


def group_of(record: Record) -> str:
    return str(record["dynamodb"]["Keys"]["group"]["S"])


def name_of(record: Record) -> str:
    return str(record["dynamodb"]["Keys"]["id"]["S"])


def swapping() -> Fault:
    """Take each two writes of an application to a key in the wrong order.

    Records that only arrive in another order do no harm: their sequence numbers say which is newer.
    """
    held: dict[str, Record] = {}

    def swap(records: list[Record]) -> list[Record]:
        given = []
        for record in records:
            if _is_copy(record):
                given.append(record)
            elif (first := held.pop(name_of(record), None)) is None:
                held[name_of(record)] = record
            else:
                given += [_with_content_of(first, record), _with_content_of(record, first)]
        return given

    return swap


def _is_copy(record: Record) -> bool:
    images = (record["dynamodb"].get(name, {}) for name in ("NewImage", "OldImage"))
    return any("_repl_version" in image for image in images)


def _with_content_of(record: Record, other: Record) -> Record:
    where = {
        name: record["dynamodb"][name] for name in ("SequenceNumber", "ApproximateCreationDateTime")
    }
    return {
        **record,
        "eventName": other["eventName"],
        "dynamodb": {**other["dynamodb"], **where},
    }


def changing(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Fault:
    """Change the new image of each record."""

    def changed(record: Record) -> Record:
        image = record["dynamodb"].get("NewImage")
        if image is None:
            return record
        return {**record, "dynamodb": {**record["dynamodb"], "NewImage": change(dict(image))}}

    return lambda records: [changed(record) for record in records]
