"""Segments that are worked on in functions: the option, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click

from commands.local_ring import RunningLocalRing
from commands.options.whole_table import TableOptions
from commands.output.screen import Screen
from operate.distributed.executions import SegmentJob, SegmentRunner
from operate.errors import InvalidRequestError
from operate.rings import DeployedRing
from operate.stop import StoppedError

distributed_option = click.option(
    "--distributed",
    is_flag=True,
    help="Have functions work on the segments, beside each other, as many as the setting "
    "`distributed.at_once` says. It takes a ring with `distributed.enabled`.",
)
segments_option = click.option(
    "--segments",
    type=click.IntRange(1, 1000),
    metavar="PARTS",
    help="In how many parts each table is read, side by side. Default: 4; 100 with --distributed, "
    "but in a ring on this machine.",
)
DEFAULT_SEGMENTS_LOCAL, DEFAULT_SEGMENTS_DISTRIBUTED = 4, 100
"""Segments of each table, unless one says otherwise."""


def segment_count(ring: DeployedRing, given: Mapping[str, Any]) -> int:
    """In how many parts each table is read, by the options.

    The functions of a ring on this machine share its cores: the more parts, the longer it takes.
    """
    there = given["distributed"] and not is_local(ring)
    return given["segments"] or (DEFAULT_SEGMENTS_DISTRIBUTED if there else DEFAULT_SEGMENTS_LOCAL)


def is_local(ring: DeployedRing) -> bool:
    """Whether it is a ring that `automate.py local` runs."""
    return isinstance(ring, RunningLocalRing)


def segment_runner(
    ring: DeployedRing, whole: TableOptions, given: Mapping[str, Any]
) -> SegmentRunner | None:
    """The state machine of a ring; None: the work is done here.

    Raises `InvalidRequestError` where the ring has none, and for options that functions know
    nothing of.
    """
    if not given["distributed"]:
        return None
    told = {**given, "rate": whole.rate}
    for option, instead in _NOT_THERE.items():
        if told.get(option) not in (None, False):
            raise InvalidRequestError(f"--{option} does not go with --distributed: {instead}.")
    return SegmentRunner.of(ring.deployed(), ring.clients(), whole.stop)


_NOT_THERE = {
    "rate": "functions know nothing of each other's pace; the setting distributed.at_once says how "
    "many there are at a time",
    "keys": "so few are looked at from here",
    "sample": "so few are looked at from here",
    "pairwise": "it is what functions do anyway",
}


@contextmanager
def announce_execution(
    screen: Screen,
    ring: DeployedRing,
    machine: SegmentRunner,
    tasks: Sequence[SegmentJob],
    restart: bool,
) -> Iterator[None]:
    """Say which runs are gone on with, if any, and what becomes of them after Ctrl-C."""
    for run in filter(None, map(machine.find_open, () if restart else tasks)):
        screen.print(
            f"It goes on with the run that was begun on {run.begun:%Y-%m-%d at %H:%M %Z} "
            "(--restart: not so)."
        )
    try:
        yield
    except (KeyboardInterrupt, StoppedError):
        place = "the local ring, as long as that does" if is_local(ring) else "AWS"
        screen.print(
            f"It runs on in {place}. The same command goes on with it; --restart stops it."
        )
        raise
