"""One change of one member, in the settings file and on AWS: what the commands for it share."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any

import click

from commands.deploy import DeployOperation, yes_option
from commands.exit_codes import FAILED, OK
from commands.output.screen import Screen
from operate.deployed import Deployed
from operate.deployment.result import Result
from operate.deployment.stack import RingStack
from operate.errors import InvalidRequestError
from operate.membership.plan import SettingChange
from operate.rings import Outcome

_LATER = ("pause", "resume")  # what has to wait while the member itself is out
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True)
class OutageOptions:
    """What is said of how long a member has been out."""

    since: datetime | None
    allow_gap: bool


@dataclass(frozen=True)
class ChangeOptions:
    """Whether to ask before anything is changed, and whether to change more than the file."""

    yes: bool
    no_deploy: bool


def outage_options(function: Callable[..., int]) -> Callable[..., int]:
    """Give a command `outage`."""

    @click.option(
        "--since",
        metavar="TIME",
        help="Since when the member has been out: 2026-05-01T09:30Z, or how long: 90m, 3h, 2d. "
        "Default: since the hop to it last had an answer, by its metrics.",
    )
    @click.option(
        "--allow-gap",
        is_flag=True,
        help="Do it though the streams no longer hold all; check and repair have to do the rest.",
    )
    @wraps(function)
    def command(since: str | None, allow_gap: bool, **given: Any) -> int:
        began = moment(since, datetime.now(UTC)) if since else None
        return function(outage=OutageOptions(began, allow_gap), **given)

    return command


def moment(text: str, now: datetime) -> datetime:
    """The moment that a text names, as a time (UTC unless it says otherwise) or as how long ago."""
    try:
        if ago := re.fullmatch(r"(\d+)([mhd])", text):
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        told = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:  # the latter: before the first year
        raise InvalidRequestError(
            f"--since: {text!r} is no time. Write 2026-05-01T09:30Z, or how long ago: 90m, 3h, 2d."
        ) from error
    then = told if told.tzinfo else told.replace(tzinfo=UTC)
    if then > now:
        raise InvalidRequestError(f"--since: {text} is yet to come.")
    return then


def change_options(function: Callable[..., int]) -> Callable[..., int]:
    """Give a command `how`."""

    @click.option(
        "--no-deploy", is_flag=True, help="Change the settings file only; `up` does the rest."
    )
    @yes_option
    @wraps(function)
    def command(yes: bool, no_deploy: bool, **given: Any) -> int:
        return function(how=ChangeOptions(yes, no_deploy), **given)

    return command


def only_ring(rings: Sequence[RingStack]) -> RingStack:
    """The only ring that is meant. InvalidRequestError if there are more."""
    if len(rings) != 1:
        names = ", ".join(ring.label for ring in rings)
        raise InvalidRequestError(f"One ring at a time: say which with --only. They are {names}.")
    return rings[0]


@dataclass(frozen=True)
class SettingChangePlan:
    """One change of one member, in the settings file and on AWS."""

    screen: Screen
    wished: SettingChange
    operation: str
    yes: bool
    more_follows: bool = False
    """Whether there is something to do even if neither the file nor AWS would change."""

    def execute(self, deployed: Deployed) -> int:
        """Show what would change, ask, write the file and deploy."""
        if (code := self.confirm(deployed)) is not None:
            return code
        return self.answer(self.run())

    def confirm(self, deployed: Deployed) -> int | None:
        """Show what would change, and ask. None to go on, or else the code to end with."""
        self._show(deployed)
        self.wished.ring.wished = self.wished.settings
        self.wished.ring.ensure_tables_replicable()  # before the file says what cannot be deployed
        return None if self.yes else self._work.confirm(self.screen)

    def run(self) -> list[Outcome[Result]]:
        """Write the file and deploy."""
        self.wished.ring.wished = self.wished.settings
        ended = self._work.run(self.screen)
        if any(one.error for one in ended) and self.wished.edit.is_written:
            self.screen.print(
                f"\n{self.wished.edit.path} says what is wished. Run the same command again, or "
                "`up`: it goes on from there."
            )
        return ended

    def answer(self, ended: Sequence[Outcome[Result]]) -> int:
        """Tell what was done, and return the code to end with."""
        return self._work.answer(self.screen, ended)

    @property
    def _work(self) -> DeployOperation:
        edit = self.wished.edit

        def act(ring: RingStack) -> Result:
            edit.write()
            return ring.up()

        rings, beside = [self.wished.ring], bool(edit.diff) or self.more_follows
        return DeployOperation(
            self.operation, rings, RingStack.preview, act, 1, self._about, beside
        )

    def edit_only(self) -> int:
        """Show the edit, ask, and write the file."""
        edit = self.wished.edit
        self._show(None)
        if edit.diff and not self.yes:
            self.screen.require_interactive()
            if not click.confirm("Write this?", err=True):
                return FAILED
        edit.write()
        document = {"operation": self.operation, "ok": True, **self._about}
        self.screen.emit(document, lambda: None)
        return OK

    @property
    def _about(self) -> Mapping[str, Any]:
        edit = self.wished.edit
        return {
            "member": self.wished.member.name,
            "file": str(edit.path),
            "diff": edit.diff,
            "warnings": self._warnings,
        }

    @property
    def _warnings(self) -> list[str]:
        told = []
        if others := self.wished.sources_elsewhere:
            told.append(
                f"The hops of {', '.join(others)} are deployed by other stacks: let their files "
                "say the same, and deploy them too."
            )
        if self.operation in _LATER and self.wished.member.state == "bypassed":
            told.append(
                f"{self.wished.member.name} is bypassed, and nothing is changed in its region "
                f"until it rejoins: this {self.operation} takes effect then."
            )
        if not self.wished.settings.tombstones.enabled:
            told.append(
                "Tombstones are off: what was put at a member that is out and a delete can chase "
                "each other around the ring for ever (README, Limits)."
            )
        return told

    def _show(self, deployed: Deployed | None) -> None:
        say, edit = self.screen.print, self.wished.edit
        say(edit.diff or f"{edit.path.name} says so already.")
        if deployed:
            there = {(hop.source, hop.target) for hop in deployed.hops}
            for source, target in sorted(self.wished.new_hops - there):
                say(f"+ hop {source} -> {target}, from the beginning of what its stream holds")
            for source, target in self.wished.gone(deployed):
                say(f"- hop {source} -> {target}")
        if deployed and self.operation == "bypass":
            name = self.wished.member.name
            say(f"= what {name} has in its region: nothing is asked about it until it rejoins")
        for warning in self._warnings:
            say(f"! {warning}")
