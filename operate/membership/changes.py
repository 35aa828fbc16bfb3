"""Bypass and rejoin a member, pause and resume a hop: plan, confirm, write, deploy, wait.

Interrupted anywhere, the same call continues from what the settings say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from operate.deployed import Deployed
from operate.deployment.result import Result
from operate.deployment.stack import no_event
from operate.membership.catch_up import HopProgress, wait_until_caught_up
from operate.membership.gap import ensure_no_gap
from operate.membership.plan import (
    SettingChange,
    ensure_all_hops_visible,
    ensure_none_paused,
    hops_to_add,
    plan_change,
)
from operate.membership.ring import ChangeableRing

Operation = Literal["bypass", "rejoin", "pause", "resume"]


@dataclass(frozen=True)
class ChangePlan:
    """What an operation will change in the settings and in AWS.

    `deployed` is what is deployed before; None: only the settings file will be changed.
    """

    operation: Operation
    change: SettingChange
    deployed: Deployed | None
    opens: bool = False
    """Whether it is the first of the two plans of a `rejoin`: waiting for the hops follows."""

    @property
    def member(self) -> str:
        """The member's name."""
        return self.change.member.name

    @property
    def diff(self) -> str:
        """The change of the settings, as `diff -u` shows it; empty if there is none."""
        return self.change.edit.diff

    @property
    def added_hops(self) -> list[tuple[str, str]]:
        """Hops to create, by the names of source and target."""
        return hops_to_add(self.change, self.deployed) if self.deployed else []

    @property
    def removed_hops(self) -> list[tuple[str, str]]:
        """Hops to delete, by the names of source and target."""
        return self.change.removed_hops(self.deployed) if self.deployed else []

    @property
    def must_run(self) -> bool:
        """Whether there is something to do even if no resource would change."""
        return bool(self.diff) or self.opens

    @property
    def pause_limit(self) -> timedelta | None:
        """How long a hop may stay paused before records go to the quarantine (`pause` only)."""
        age = self.change.settings.mapping.record_age
        return timedelta(seconds=age) if self.operation == "pause" else None

    @property
    def warnings(self) -> list[str]:
        """Consequences to know before confirming."""
        warnings = []
        if others := self.change.sources_elsewhere:
            warnings.append(
                f"Other stacks deploy the hops of {', '.join(others)}: make the same change in "
                "their files, and deploy them too."
            )
        if self.operation in ("pause", "resume") and self.change.member.state == "bypassed":
            warnings.append(
                f"{self.member} is bypassed, and nothing is changed in its region until it "
                f"rejoins: this {self.operation} takes effect then."
            )
        if not self.change.settings.tombstones.enabled:
            warnings.append(
                "Tombstones are off: an item written at a member that is out, and a delete of it "
                "elsewhere, can follow each other around the ring forever "
                "(docs/explanation/guarantees.md)."
            )
        return warnings


@dataclass(frozen=True)
class ChangeResult:
    """The plan that was executed, and its deployment (None: only the file was changed)."""

    plan: ChangePlan
    deployment: Result | None


def _approve(_: ChangePlan) -> bool:
    return True


def _up(ring: ChangeableRing) -> Result:
    return ring.up(on_event=no_event)


def _ignore(_: object) -> None:
    pass


@dataclass(frozen=True)
class ChangeCallbacks:
    """Callbacks of an operation. By default, it runs without asking and prints nothing."""

    on_plan: Callable[[ChangePlan], object] = _ignore
    """Called with each plan before anything is changed. `rejoin` has two, `in` being the last."""
    confirm: Callable[[ChangePlan], bool] = _approve
    """Asked once, before anything is changed. False ends the operation."""
    deploy: Callable[[Any], Result] | None = _up
    """Deploys the ring with its new settings (a `ChangeableRing`). None: only change the file."""
    on_progress: Callable[[Sequence[HopProgress]], object] = _ignore
    """Called with the hops that `rejoin` waits for, every 15 seconds on AWS."""


_DEFAULT = ChangeCallbacks()


def bypass(
    ring: ChangeableRing,
    member: str,
    *,
    since: datetime | None = None,
    allow_gap: bool = False,
    callbacks: ChangeCallbacks = _DEFAULT,
) -> ChangeResult | None:
    """Close the ring around a member whose region is down. Sends no request to its region.

    Args:
        ring: The ring, of a stack or of a ring file, or one that runs on this machine.
        member: The member's name.
        since: The beginning of the outage (aware). Default: the last delivery, by the metrics of
            the hop to the member.
        allow_gap: Also bypass it if the streams no longer hold every write since then.
        callbacks: Callbacks for output, confirmation and deployment.

    Returns:
        The result; None if `callbacks.confirm` returned False.

    Raises:
        InvalidRequestError: Fewer than two members would remain, or there is a gap.
        OperateError: As `RingStack.up`. The file has the change by then.
    """
    change = plan_change(ring, member, "state", "bypassed")
    if callbacks.deploy is None:
        return _apply(ChangePlan("bypass", change, None), callbacks)
    deployed = ring.deployed()
    hops_to_add(change, deployed)
    if not allow_gap:
        ensure_no_gap(change, deployed, since, _command("bypass", change))
    return _apply(ChangePlan("bypass", change, deployed), callbacks)


def rejoin(
    ring: ChangeableRing,
    member: str,
    *,
    since: datetime | None = None,
    allow_gap: bool = False,
    callbacks: ChangeCallbacks = _DEFAULT,
) -> ChangeResult | None:
    """Return a bypassed member to the ring, and wait until all its hops have caught up.

    The hop around it stays until then, which takes ten minutes at least on AWS. Arguments, result
    and errors are those of `bypass`; a paused hop to or from it is an `InvalidRequestError`, too.
    It always deploys.
    """
    change = plan_change(ring, member, "state", "rejoining")
    deployed = ring.deployed()
    if change.member.state != "in":
        ensure_all_hops_visible(change)
        ensure_none_paused(change)
        hops_to_add(change, deployed)
        if change.member.state == "bypassed" and not allow_gap:
            ensure_no_gap(change, deployed, since, _command("rejoin", change))
        if _apply(ChangePlan("rejoin", change, deployed, opens=True), callbacks) is None:
            return None
        ring = change.ring
        deployed = ring.deployed()
        wait_until_caught_up(ring, deployed, change.member.name, callbacks.on_progress)
        # Else the settings of before the wait would be deployed, and undo what was changed in it.
        change.edit.ensure_kept()
        callbacks = replace(callbacks, confirm=_approve)
    change = plan_change(ring, member, "state", "in")
    return _apply(ChangePlan("rejoin", change, deployed), callbacks)


def pause(
    ring: ChangeableRing, hop: str, *, callbacks: ChangeCallbacks = _DEFAULT
) -> ChangeResult | None:
    """Pause the hop that starts at this member. Result and errors are those of `bypass`."""
    return _set_paused(ring, hop, "pause", callbacks)


def resume(
    ring: ChangeableRing, hop: str, *, callbacks: ChangeCallbacks = _DEFAULT
) -> ChangeResult | None:
    """Resume the paused hop that starts at this member. Result and errors are those of `bypass`."""
    return _set_paused(ring, hop, "resume", callbacks)


def _set_paused(
    ring: ChangeableRing,
    hop: str,
    operation: Literal["pause", "resume"],
    callbacks: ChangeCallbacks,
) -> ChangeResult | None:
    change = plan_change(ring, hop, "paused", operation == "pause")
    deployed = ring.deployed() if callbacks.deploy else None
    return _apply(ChangePlan(operation, change, deployed), callbacks)


def _apply(plan: ChangePlan, callbacks: ChangeCallbacks) -> ChangeResult | None:
    """Show the plan, ask, write the file and deploy. None: not confirmed."""
    change = plan.change
    if callbacks.deploy:
        change.ring.ensure_tables_replicable()  # before the file has what cannot be deployed
    callbacks.on_plan(plan)
    if not callbacks.confirm(plan):
        return None
    change.edit.write()
    return ChangeResult(plan, callbacks.deploy(change.ring) if callbacks.deploy else None)


def _command(operation: Operation, change: SettingChange) -> str:
    return f"{operation} {change.member.name}"
