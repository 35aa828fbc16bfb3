"""Commands that bypass and rejoin members, and pause and resume hops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

import click
from rich.status import Status

from commands.deploy import yes_option
from commands.framework import RingCommand, command, examples
from commands.options.rings import running_rings_option
from commands.output.screen import Screen
from commands.setting_change import (
    ChangeOptions,
    ChangeView,
    OutageOptions,
    change_options,
    only_ring,
    outage_options,
)
from operate.durations import format_duration
from operate.membership import changes
from operate.membership.catch_up import HopProgress, Progress
from operate.membership.ring import ChangeableRing


@click.command(
    cls=RingCommand,
    epilog=examples(
        "automate.py bypass eu-west-1 --stack prod",
        "automate.py bypass eu-west-1 --file rings.yaml --since 3h --yes",
        "automate.py bypass eu-west-1 --local http://127.0.0.1:8000",
    ),
)
@click.argument("member")
@command
@running_rings_option
@outage_options
@change_options
def bypass(
    screen: Screen,
    rings: Sequence[ChangeableRing],
    member: str,
    outage: OutageOptions,
    options: ChangeOptions,
) -> int:
    """Close the ring around MEMBER, whose region is down.

    Creates a hop from its predecessor to its successor, which reads the predecessor's stream from
    the oldest record, so no write is skipped that MEMBER had not forwarded. Sends no request to
    MEMBER's region. MEMBER keeps its own hop, which drains its stream when the region is back.

    The settings file gets `state: bypassed` before the deployment. If that fails or is interrupted,
    run the same command, or `up`, to continue. A local ring (--local) takes the new settings while
    it runs.

    Refused if fewer than two members would remain, or if the streams no longer hold all writes
    since the outage began.
    """
    ring = only_ring(rings, options.no_deploy)
    return ChangeView(screen, options).run(
        lambda callbacks: changes.bypass(
            ring,
            member,
            since=outage.since,
            allow_gap=outage.allow_gap,
            callbacks=callbacks,
        )
    )


@click.command(
    cls=RingCommand,
    epilog=examples(
        "automate.py rejoin eu-west-1 --stack prod",
        "automate.py rejoin eu-west-1 --file rings.yaml --only orders --yes",
    ),
)
@click.argument("member")
@command
@running_rings_option
@outage_options
@yes_option
def rejoin(
    screen: Screen, rings: Sequence[ChangeableRing], member: str, outage: OutageOptions, yes: bool
) -> int:
    """Return MEMBER, which was bypassed, to the ring.

    Its predecessor's hop replicates to it again, and its own hop drains its stream. The hop around
    it is deleted when all of them have caught up, which takes at least ten minutes. Applications
    may write everywhere meanwhile.

    The settings file gets `state: rejoining`, and `state: in` at the end. Interrupted anywhere,
    run the same command to continue.

    Refused if the streams no longer hold all writes that MEMBER missed.
    """
    ring = only_ring(rings)
    view = ChangeView(screen, ChangeOptions(yes, no_deploy=False))
    with _CatchUpView(screen) as catch_up:
        view.on_progress = catch_up.update
        return view.run(
            lambda callbacks: changes.rejoin(
                ring,
                member,
                since=outage.since,
                allow_gap=outage.allow_gap,
                callbacks=callbacks,
            )
        )


class _CatchUpView:
    """Prints the progress of the hops that `rejoin` waits for."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._progress = Progress()
        self._last: dict[tuple[str, str], str] = {}
        self._status: Status | None = None

    def __enter__(self) -> _CatchUpView:
        return self

    def __exit__(self, *_: object) -> None:
        if self._status:
            self._status.stop()

    def update(self, hops: Sequence[HopProgress]) -> None:
        """Print each hop whose progress has changed, and the estimated time."""
        if self._status is None:
            self._screen.print(
                "\nWaiting until these hops have caught up. Press Ctrl-C to stop; run the command "
                "again to continue."
            )
            self._status = self._screen.console.status("...")
            self._status.start()
        for hop in hops:
            if self._last.get((hop.source, hop.target)) != hop.words:
                self._screen.print(_format_hop(hop))
                self._last[hop.source, hop.target] = hop.words
        remaining = self._progress.remaining(hops)
        estimate = f"; about {format_duration(remaining)} left" if remaining else ""
        waiting = [_format_hop(hop) for hop in hops if not hop.is_done]
        self._status.update("\n".join(waiting) + estimate)
        if not waiting:
            self._status.stop()


def _format_hop(hop: HopProgress) -> str:
    if hop.age is None:
        return f"{hop.source} -> {hop.target} {hop.words}"
    age = format_duration(timedelta(seconds=hop.age))
    return f"{hop.source} -> {hop.target} {hop.words} (iterator age {age})"


@click.command(
    cls=RingCommand,
    epilog=examples(
        "automate.py pause eu-west-1 --stack prod",
        "automate.py pause eu-west-1 --file rings.yaml --only orders --yes",
    ),
)
@click.argument("hop")
@command
@running_rings_option
@change_options
def pause(screen: Screen, rings: Sequence[ChangeableRing], hop: str, options: ChangeOptions) -> int:
    """Pause HOP (given by its source member).

    Writes at that member wait in its stream, and it forwards nothing. Resume it within
    `mapping.record_age`: older records go to the quarantine, and after 24 hours the stream no
    longer holds them.

    The settings file gets `paused: true`, so that no `up` resumes the hop by accident.
    """
    return _switch(screen, rings, options, partial(changes.pause, hop=hop))


@click.command(cls=RingCommand, epilog=examples("automate.py resume eu-west-1 --stack prod"))
@click.argument("hop")
@command
@running_rings_option
@change_options
def resume(
    screen: Screen, rings: Sequence[ChangeableRing], hop: str, options: ChangeOptions
) -> int:
    """Resume HOP (given by its source member) where it was paused."""
    return _switch(screen, rings, options, partial(changes.resume, hop=hop))


def _switch(
    screen: Screen,
    rings: Sequence[ChangeableRing],
    options: ChangeOptions,
    change: Callable[..., changes.ChangeResult | None],
) -> int:
    ring = only_ring(rings, options.no_deploy)
    return ChangeView(screen, options).run(lambda callbacks: change(ring, callbacks=callbacks))
