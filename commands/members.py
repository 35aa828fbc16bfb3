"""Commands that take members out of a ring and let them back in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any

import click

from commands.deploy import Work, yes_option
from commands.pattern import FAILED, FINE, answers, examples
from commands.rings import which_rings
from commands.screen import Screen
from operate.deployed import Deployed
from operate.errors import WrongError
from operate.membership import Wish, new_ways, refuse_gap, wish
from operate.outage import last_delivery
from operate.result import Result
from operate.stack import RingStack
from operate.status import Clients

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True)
class Outage:
    """What is said of how long a member has been out."""

    since: str | None
    however_long: bool


@dataclass(frozen=True)
class How:
    """Whether to ask before anything is changed, and whether to change more than the file."""

    yes: bool
    no_deploy: bool


def _outage(function: Callable[..., int]) -> Callable[..., int]:
    """Give a command `outage`."""

    @click.option(
        "--since",
        metavar="TIME",
        help="Since when the member has been out: 2026-05-01T09:30Z, or how long: 90m, 3h, 2d. "
        "Default: since the hop to it last had an answer, by its metrics.",
    )
    @click.option(
        "--however-long",
        is_flag=True,
        help="Do it though the streams no longer hold all; check and repair have to do the rest.",
    )
    @wraps(function)
    def command(since: str | None, however_long: bool, **given: Any) -> int:
        return function(outage=Outage(since, however_long), **given)

    return command


def _how(function: Callable[..., int]) -> Callable[..., int]:
    """Give a command `how`."""

    @click.option(
        "--no-deploy", is_flag=True, help="Change the settings file only; `up` does the rest."
    )
    @yes_option
    @wraps(function)
    def command(yes: bool, no_deploy: bool, **given: Any) -> int:
        return function(how=How(yes, no_deploy), **given)

    return command


@click.command(
    epilog=examples(
        "automate.py bypass eu-west-1 --stack prod",
        "automate.py bypass eu-west-1 --file rings.yaml --only orders --since 3h --yes",
    )
)
@click.argument("member")
@answers
@which_rings
@_outage
@_how
def bypass(
    screen: Screen, rings: Sequence[RingStack], member: str, outage: Outage, how: How
) -> int:
    """Close the ring around MEMBER, whose region is gone.

    Its predecessor is given a hop to its successor, which reads the predecessor's stream from the
    beginning, so that nothing is left out that MEMBER had not passed on. Nothing is asked of
    MEMBER's region. What it has not told itself it tells when it is back: its own hop stays.

    The settings file says `state: bypassed` before anything is deployed. If that fails, or is
    interrupted, the same command, or `up`, goes on.

    Refused where fewer than two members would remain, and where the streams no longer hold all
    that was written since the outage began.
    """
    wished = wish(_one(rings), member, "state", "bypassed")
    plan = _Plan(screen, wished, "bypass", how.yes)
    if how.no_deploy:
        return plan.edit_only()
    deployed = wished.ring.deployed()
    new_ways(wished, deployed)
    if not outage.however_long:
        _refuse_gap(wished, deployed, outage.since)
    return plan.carry_out(deployed)


def _one(rings: Sequence[RingStack]) -> RingStack:
    if len(rings) != 1:
        names = ", ".join(ring.label for ring in rings)
        raise WrongError(f"One ring at a time: say which with --only. They are {names}.")
    return rings[0]


def _refuse_gap(wished: Wish, deployed: Deployed, since: str | None) -> None:
    """Refuse it if the member may have been out for too long, unless nothing leads to it anyway."""
    now = datetime.now(UTC)
    to_it = [hop for hop in deployed.hops if hop.target == wished.member.name]
    if not to_it:
        return
    if since:
        began = moment(since, now)
    else:
        clients = Clients()
        told = [last_delivery(deployed, hop, clients, now) for hop in to_it]
        if None in told:
            raise WrongError(
                f"Since when {wished.member.name} is out is not known: in the last 14 days nothing "
                "was brought to it, by the metrics of its hop. Say it with --since."
            )
        began = min(one for one in told if one)
    refuse_gap(wished, began, now, f"automate.py bypass {wished.member.name}")


def moment(text: str, now: datetime) -> datetime:
    """The moment that a text names, as a time (UTC unless it says otherwise) or as how long ago."""
    if ago := re.fullmatch(r"(\d+)([mhd])", text):
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        told = datetime.fromisoformat(text)
    except ValueError as error:
        raise WrongError(
            f"--since: {text!r} is no time. Write 2026-05-01T09:30Z, or how long ago: 90m, 3h, 2d."
        ) from error
    then = told if told.tzinfo else told.replace(tzinfo=UTC)
    if then > now:
        raise WrongError(f"--since: {text} is yet to come.")
    return then


@dataclass(frozen=True)
class _Plan:
    """One change of one member, in the settings file and on AWS."""

    screen: Screen
    wished: Wish
    operation: str
    yes: bool

    def carry_out(self, deployed: Deployed) -> int:
        """Show what would change, ask, write the file and deploy."""
        ring, edit = self.wished.ring, self.wished.edit
        self._show(deployed)
        ring.wished = self.wished.settings

        def act(ring: RingStack) -> Result:
            edit.write()
            return ring.up()

        work = Work(
            self.operation,
            [ring],
            RingStack.preview,
            act,
            jobs=1,
            about=self._about,
            beside=bool(edit.diff),
        )
        code = work.carry_out(self.screen, yes=self.yes)
        if code != FINE and edit.is_written:
            self.screen.say(
                f"\n{edit.path} says what is wished. Run the same command again, or `up`: it goes "
                "on from there."
            )
        return code

    def edit_only(self) -> int:
        """Show the edit, ask, and write the file."""
        edit = self.wished.edit
        self._show(None)
        if edit.diff and not self.yes:
            if not self.screen.may_ask:
                raise WrongError("There is nobody here to ask: say --yes.")
            if not click.confirm("Write this?", err=True):
                return FAILED
        edit.write()
        document = {"operation": self.operation, "ok": True, **self._about}
        self.screen.answer(document, lambda: None)
        return FINE

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
        if not self.wished.settings.tombstones.enabled:
            told.append(
                "Tombstones are off: what was put at a member that is out and a delete can chase "
                "each other around the ring for ever (README, Limits)."
            )
        return told

    def _show(self, deployed: Deployed | None) -> None:
        say, edit = self.screen.say, self.wished.edit
        say(edit.diff or f"{edit.path.name} says so already.")
        if deployed:
            there = {(hop.source, hop.target) for hop in deployed.hops}
            for source, target in sorted(self.wished.ways - there):
                say(f"+ hop {source} -> {target}, from the beginning of what its stream holds")
            for source, target in sorted(there - self.wished.ways):
                say(f"- hop {source} -> {target}")
        for warning in self._warnings:
            say(f"! {warning}")
