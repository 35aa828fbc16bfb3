"""Print and confirm the change of one member's setting; `operate.membership` executes it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any

import click

from commands.deploy import DeployOperation, yes_option
from commands.exit_codes import FAILED, OK
from commands.local_ring import RunningLocalRing
from commands.output.screen import Screen
from operate.deployment.result import Result
from operate.deployment.stack import EventCallback
from operate.durations import format_duration
from operate.errors import InvalidRequestError, OperateError
from operate.membership.catch_up import HopProgress
from operate.membership.changes import ChangeCallbacks, ChangePlan, ChangeResult
from operate.membership.ring import ChangeableRing
from operate.rings import Outcome

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True)
class OutageOptions:
    """Options about a member's outage."""

    since: datetime | None
    allow_gap: bool


@dataclass(frozen=True)
class ChangeOptions:
    """Options about the confirmation and the deployment."""

    yes: bool
    no_deploy: bool


def outage_options(function: Callable[..., int]) -> Callable[..., int]:
    """Add the options about an outage, as `outage`."""

    @click.option(
        "--since",
        metavar="TIME",
        help="Beginning of the outage: 2026-05-01T09:30Z, or how long ago: 90m, 3h, 2d. "
        "Default: the last delivery to the member, by the metrics of its hop.",
    )
    @click.option(
        "--allow-gap",
        is_flag=True,
        help="Proceed although the streams no longer hold all missed writes; run `check` and "
        "`repair` afterwards.",
    )
    @wraps(function)
    def command(since: str | None, allow_gap: bool, **options: Any) -> int:
        began = parse_time(since, datetime.now(UTC)) if since else None
        return function(outage=OutageOptions(began, allow_gap), **options)

    return command


def parse_time(text: str, now: datetime) -> datetime:
    """Parse --since: a time (UTC unless it has an offset), or how long ago."""
    try:
        if ago := re.fullmatch(r"(\d+)([mhd])", text):
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        parsed = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:  # OverflowError: before the year 1
        raise InvalidRequestError(
            f"--since: {text!r} is not a time. Write 2026-05-01T09:30Z, or how long ago: 90m, 3h, "
            "2d."
        ) from error
    time = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    if time > now:
        raise InvalidRequestError(f"--since: {text} is in the future.")
    return time


def change_options(function: Callable[..., int]) -> Callable[..., int]:
    """Add the options about confirmation and deployment, as `options`."""

    @click.option(
        "--no-deploy", is_flag=True, help="Change only the settings file; deploy it with `up`."
    )
    @yes_option
    @wraps(function)
    def command(yes: bool, no_deploy: bool, **options: Any) -> int:
        return function(options=ChangeOptions(yes, no_deploy), **options)

    return command


def only_ring(rings: Sequence[ChangeableRing], no_deploy: bool = False) -> ChangeableRing:
    """Return the only ring.

    Raises `InvalidRequestError` if there are several, or if it has no file for `no_deploy`.
    """
    if len(rings) != 1:
        names = ", ".join(ring.label for ring in rings)
        raise InvalidRequestError(f"One ring at a time: select it with --only. Rings: {names}.")
    if no_deploy and isinstance(rings[0], RunningLocalRing):
        raise InvalidRequestError(
            "--no-deploy: a local ring has its settings from its deployment alone, and no file of "
            "them to change. Leave it out."
        )
    return rings[0]


@dataclass
class ChangeView:
    """Callbacks that print plans, ask, deploy with live output, and keep what was done."""

    screen: Screen
    options: ChangeOptions
    on_progress: Callable[[Sequence[HopProgress]], object] = lambda _: None
    plan: ChangePlan | None = None
    outcomes: list[Outcome[Result]] = field(default_factory=list)
    exit_code: int = FAILED
    """Exit code of an operation that was not confirmed."""

    def run(self, operation: Callable[[ChangeCallbacks], ChangeResult | None]) -> int:
        """Run an operation with these callbacks, print its result, and return the exit code."""
        callbacks = ChangeCallbacks(
            self._show,
            self._confirm,
            None if self.options.no_deploy else self._deploy,
            self.on_progress,
        )
        try:
            result = operation(callbacks)
        except OperateError:
            if not any(outcome.error for outcome in self.outcomes):
                raise
            return self._print_outcomes()
        if result is None:
            return self.exit_code
        if result.deployment:
            return self._print_outcomes()
        document = {"operation": result.plan.operation, "ok": True, **_about(result.plan)}
        self.screen.emit(document, lambda: None)
        return OK

    def _show(self, plan: ChangePlan) -> None:
        self.plan = plan
        print_line = self.screen.print
        if limit := plan.pause_limit:
            until = datetime.now(UTC) + limit
            print_line(
                f"It can stay paused for {format_duration(limit)}, until {until:%Y-%m-%d %H:%M} "
                "UTC; older records go to the quarantine when it is resumed."
            )
        print_line(plan.diff or f"{Path(plan.change.edit.place).name} has this setting already.")
        for source, target in plan.added_hops:
            print_line(f"+ hop {source} -> {target}, from the oldest record of its stream")
        for source, target in plan.removed_hops:
            print_line(f"- hop {source} -> {target}")
        if plan.deployed and plan.operation == "bypass":
            print_line(f"= resources in {plan.member}'s region: unchanged until it rejoins")
        for warning in plan.warnings:
            print_line(f"! {warning}")

    def _confirm(self, plan: ChangePlan) -> bool:
        if self.options.yes:
            return True
        if plan.deployed is None:
            if plan.diff:
                self.screen.require_interactive()
            return not plan.diff or click.confirm("Write this?", err=True)
        code = self._operation(plan).confirm(self.screen)
        if code is not None:
            self.exit_code = code
        return code is None

    def _deploy(self, ring: ChangeableRing) -> Result:
        assert self.plan
        self.outcomes = self._operation(self.plan).run(self.screen)
        (outcome,) = self.outcomes
        if outcome.error:
            if self.plan.change.edit.is_written:
                self.screen.print(
                    f"\n{self.plan.change.edit.place} has the new setting. Run the same command "
                    "again, or `up`, to continue."
                )
            raise outcome.error
        assert outcome.result
        return outcome.result

    def _print_outcomes(self) -> int:
        assert self.plan
        return self._operation(self.plan).answer(self.screen, self.outcomes)

    def _operation(self, plan: ChangePlan) -> DeployOperation:
        return DeployOperation(
            plan.operation,
            [plan.change.ring],
            _preview,
            _up,
            1,
            _about(plan),
            plan.must_run,
        )


def _preview(ring: ChangeableRing, on_event: EventCallback) -> Result:
    return ring.preview(on_event=on_event)


def _up(ring: ChangeableRing, on_event: EventCallback) -> Result:
    return ring.up(on_event=on_event)


def _about(plan: ChangePlan) -> Mapping[str, Any]:
    return {
        "member": plan.member,
        "file": plan.change.edit.place,
        "diff": plan.diff,
        "warnings": plan.warnings,
    }
