"""Commands that take members out of a ring and let them back in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import click

from commands.deploy import yes_option
from commands.framework import command, examples
from commands.options.rings import stack_rings_option
from commands.output.screen import Screen
from commands.setting_change import (
    ChangeOptions,
    OutageOptions,
    SettingChangePlan,
    change_options,
    only_ring,
    outage_options,
)
from operate.aws.clients import ClientPool
from operate.deployed import Deployed
from operate.deployment.stack import RingStack
from operate.durations import format_duration
from operate.errors import InvalidRequestError
from operate.membership.catch_up import HopProgress, Progress, wait_until_caught_up
from operate.membership.outage import last_delivery
from operate.membership.plan import (
    SettingChange,
    ensure_all_hops_visible,
    ensure_streams_cover,
    hops_to_add,
    plan_change,
)


@click.command(
    epilog=examples(
        "automate.py bypass eu-west-1 --stack prod",
        "automate.py bypass eu-west-1 --file rings.yaml --only orders --since 3h --yes",
    )
)
@click.argument("member")
@command
@stack_rings_option
@outage_options
@change_options
def bypass(
    screen: Screen,
    rings: Sequence[RingStack],
    member: str,
    outage: OutageOptions,
    how: ChangeOptions,
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
    wished = plan_change(only_ring(rings), member, "state", "bypassed")
    plan = SettingChangePlan(screen, wished, "bypass", how.yes)
    if how.no_deploy:
        return plan.edit_only()
    deployed = wished.ring.deployed()
    hops_to_add(wished, deployed)
    if not outage.allow_gap:
        _refuse_gap(wished, deployed, outage.since, "bypass")
    return plan.execute(deployed)


@click.command(
    epilog=examples(
        "automate.py rejoin eu-west-1 --stack prod",
        "automate.py rejoin eu-west-1 --file rings.yaml --only orders --yes",
    )
)
@click.argument("member")
@command
@stack_rings_option
@outage_options
@yes_option
def rejoin(
    screen: Screen, rings: Sequence[RingStack], member: str, outage: OutageOptions, yes: bool
) -> int:
    """Let MEMBER, which was bypassed, back into the ring with what it has.

    It is sent what its predecessor's stream holds, and its own hop tells what it had not told. The
    hop around it stays until all of them have caught up, which takes ten minutes at least; then it
    is deleted. Applications may write everywhere all the while.

    The settings file says `state: rejoining`, and `state: in` in the end. Interrupted anywhere, the
    same command goes on from what the file says.

    Refused where the streams no longer hold all that MEMBER missed.
    """
    wished = plan_change(only_ring(rings), member, "state", "rejoining")
    ring, deployed = wished.ring, wished.ring.deployed()
    if wished.member.state != "in":
        ensure_all_hops_visible(wished)
        opening = SettingChangePlan(screen, wished, "rejoin", yes, more_follows=True)
        hops_to_add(wished, deployed)
        if wished.member.state == "bypassed" and not outage.allow_gap:
            _refuse_gap(wished, deployed, outage.since, "rejoin")
        if (code := opening.confirm(deployed)) is not None:
            return code
        ended = opening.run()
        if any(one.error for one in ended):
            return opening.answer(ended)
        deployed = ring.deployed()
        _wait(screen, deployed, wished.member.name)
        yes = True  # it was said to all of it
    return SettingChangePlan(
        screen, plan_change(ring, member, "state", "in"), "rejoin", yes
    ).execute(deployed)


def _wait(screen: Screen, deployed: Deployed, member: str) -> None:
    progress, before = Progress(), dict[tuple[str, str], str]()

    def tell(seen: Sequence[HopProgress]) -> None:
        remaining = progress.remaining(seen)
        for hop in seen:
            if before.get((hop.source, hop.target)) != hop.words:
                screen.print(_told(hop))
                before[hop.source, hop.target] = hop.words
        more = f"; some {format_duration(remaining)} left" if remaining else ""
        waiting = [_told(hop) for hop in seen if not hop.is_done]
        status.update("\n".join(waiting) + more)

    screen.print(
        "\nWaiting until these hops have caught up. Ctrl-C ends it; run it again to go on."
    )
    with screen.console.status("...") as status:
        wait_until_caught_up(deployed, member, ClientPool(), tell)


def _told(hop: HopProgress) -> str:
    age = (
        ""
        if hop.age is None
        else f" (told a record {format_duration(timedelta(seconds=hop.age))} old)"
    )
    return f"{hop.source} -> {hop.target} {hop.words}{age}"


def _refuse_gap(
    wished: SettingChange, deployed: Deployed, since: datetime | None, command: str
) -> None:
    """Refuse it if the member may have been out for too long, unless nothing leads to it anyway."""
    now = datetime.now(UTC)
    ways = wished.new_hops | {(hop.source, hop.target) for hop in deployed.asked_hops}
    to_it = sorted(way for way in ways if way[1] == wished.member.name)
    if not to_it:
        return
    if since:
        began = since
    else:
        clients = ClientPool()
        told = [last_delivery(deployed, way, clients, now) for way in to_it]
        if None in told:
            raise InvalidRequestError(
                f"Since when {wished.member.name} is out is not known: in the last 14 days nothing "
                "was brought to it, by the metrics of its hop. Say it with --since."
            )
        began = min(one for one in told if one)
    ensure_streams_cover(wished, began, now, f"automate.py {command} {wished.member.name}")


@click.command(
    epilog=examples(
        "automate.py pause eu-west-1 --stack prod",
        "automate.py pause eu-west-1 --file rings.yaml --only orders --yes",
    )
)
@click.argument("hop")
@command
@stack_rings_option
@change_options
def pause(screen: Screen, rings: Sequence[RingStack], hop: str, how: ChangeOptions) -> int:
    """Let HOP rest, which is named by the member that it starts at.

    What is written at that member waits in its stream, and nothing passes it on its way round the
    ring. It may rest for `mapping.record_age`: what is older when it is resumed is given up, into
    the quarantine; after 24 hours it is gone.

    The settings file says `paused: true`, so that no `up` resumes it, and nobody forgets it.
    """
    return _switch(screen, rings, hop, "pause", how)


@click.command(epilog=examples("automate.py resume eu-west-1 --stack prod"))
@click.argument("hop")
@command
@stack_rings_option
@change_options
def resume(screen: Screen, rings: Sequence[RingStack], hop: str, how: ChangeOptions) -> int:
    """Let HOP go on, which was paused, from where it was."""
    return _switch(screen, rings, hop, "resume", how)


def _switch(
    screen: Screen, rings: Sequence[RingStack], hop: str, operation: str, how: ChangeOptions
) -> int:
    wished = plan_change(only_ring(rings), hop, "paused", operation == "pause")
    plan = SettingChangePlan(screen, wished, operation, how.yes)
    if operation == "pause":
        age = timedelta(seconds=wished.settings.mapping.record_age)
        until = datetime.now(UTC) + age
        screen.print(
            f"It may rest for {format_duration(age)}, until {until:%Y-%m-%d %H:%M} UTC: "
            "after that, records "
            "are given up into the quarantine when it is resumed."
        )
    return plan.edit_only() if how.no_deploy else plan.execute(wished.ring.deployed())
