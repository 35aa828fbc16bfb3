"""A paused hop of a trial: what is written before Lambda has stopped to poll says nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pulumi.automation import CommandResult, ConcurrentUpdateError

from operate.errors import OperationFailedError
from operate.stop import Stop
from operate.trial.context import Patience, Trial
from operate.trial.steps import trouble
from operate.trial.steps.trouble import wait_until_held

FIRST, SECOND = (SimpleNamespace(name=name, table=name) for name in ("first", "second"))


@dataclass
class Tables:
    """The first member's writes get to the second one, as long as there are `polls` left."""

    polls: float
    items: Mapping[str, list[Any]] = field(default_factory=lambda: {"first": [], "second": []})

    def put_item(self, *, TableName: str, Item: Any) -> None:  # noqa: N803 - as boto3 names them
        self.items[TableName].append(Item)
        if self.polls > 0:
            self.items["second"].append(Item)
        self.polls -= 1

    def get_paginator(self, _operation: str) -> Any:
        def paginate(*, TableName: str, **_: Any) -> Iterator[Any]:  # noqa: N803
            yield {"Items": self.items[TableName]}

        return SimpleNamespace(paginate=paginate)


def held(tables: Tables, arrival: float) -> tuple[bool, list[Any]]:
    """Wait; return whether a write was held, and what was written."""
    trial = SimpleNamespace(
        members=[FIRST, SECOND],
        client=lambda _member: tables,
        group=lambda name: name,
        patience=Patience(arrival=arrival, quiet=0.0, poll=0.0),
        stop=Stop(),
    )
    trial.wait = lambda *given: Trial.wait(cast("Trial", trial), *given)
    return wait_until_held(cast("Trial", trial)), [*tables.items["first"]]


@pytest.mark.parametrize("polls", [0, 3])
def test_a_pause_begins_when_a_write_stays_where_it_is(polls: int) -> None:
    is_held, written = held(Tables(polls), 60.0)
    assert is_held
    assert len(written) == len({item["id"]["S"] for item in written}) == polls + 1


def test_a_hop_that_never_stops_is_waited_for_no_longer_than_for_an_arrival() -> None:
    is_held, written = held(Tables(float("inf")), 0.05)
    assert not is_held
    assert written


class Failing:
    """A trial of which the deployment that pauses fails, or is refused for a lock at first."""

    def __init__(self, *errors: Exception | None) -> None:
        self.errors = list(errors)
        self.plan = SimpleNamespace(members=[FIRST, SECOND])
        self.members = [FIRST, SECOND]
        self.journal = SimpleNamespace(ring=lambda: None)
        self.ring = SimpleNamespace(break_lock=lambda: None)
        self.patience, self.stop = Patience(lock=60.0, poll=0.0), Stop()
        self.deployed: list[str] = []

    def group(self, name: str) -> str:
        return name

    def on_progress(self, _text: str) -> None:
        pass

    def deploy(self, change: Any) -> Any:
        error = self.errors.pop(0) if self.errors else None
        if error:
            raise error
        self.deployed.append(change)


def changes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pause", "resume"):

        def change(_ring: Any, _hop: str, *, callbacks: Any, name: str = name) -> None:
            callbacks.deploy(name)

        monkeypatch.setattr(trouble, name, change)


def test_a_hop_is_resumed_where_the_step_ends_with_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    changes(monkeypatch)
    trial = Failing(OperationFailedError("half of it was paused"))
    with pytest.raises(OperationFailedError, match="half"):
        trouble.pausing(cast("Trial", trial))
    assert trial.deployed == ["resume"]


def test_a_lock_that_a_killed_engine_left_is_waited_for_by_a_pause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    changes(monkeypatch)
    locked = OperationFailedError("locked")
    locked.__cause__ = ConcurrentUpdateError(CommandResult("", "", 1))
    trial = Failing(locked, None, OperationFailedError("the test ends here"))
    monkeypatch.setattr(trouble, "wait_until_held", lambda _: trial.deploy("nothing"))
    with pytest.raises(OperationFailedError, match="ends here"):
        trouble.pausing(cast("Trial", trial))
    assert trial.deployed == ["pause", "resume"]
