"""Options for parallel scan segments, on this machine or in Lambda functions."""

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
    help="Process the segments in Lambda functions, `distributed.at_once` at a time. Requires the "
    "setting `distributed.enabled`.",
)
segments_option = click.option(
    "--segments",
    type=click.IntRange(1, 1000),
    metavar="NUMBER",
    help="Parallel scan segments per table. Default: 4; 100 with --distributed on AWS.",
)
DEFAULT_SEGMENTS_LOCAL, DEFAULT_SEGMENTS_DISTRIBUTED = 4, 100
"""Default number of segments per table."""


def segment_count(ring: DeployedRing, given: Mapping[str, Any]) -> int:
    """Return the number of segments per table.

    Functions of a local ring share its cores: more segments take longer.
    """
    on_aws = given["distributed"] and not is_local(ring)
    return given["segments"] or (DEFAULT_SEGMENTS_DISTRIBUTED if on_aws else DEFAULT_SEGMENTS_LOCAL)


def is_local(ring: DeployedRing) -> bool:
    """Whether `automate.py local` runs the ring."""
    return isinstance(ring, RunningLocalRing)


def segment_runner(
    ring: DeployedRing, whole: TableOptions, given: Mapping[str, Any]
) -> SegmentRunner | None:
    """Return the runner of a ring's segments; None: this machine.

    Raises `InvalidRequestError` if the ring has none, and for options that it does not support.
    """
    if not given["distributed"]:
        return None
    values = {**given, "rate": whole.rate}
    for option, instead in _NOT_THERE.items():
        if values.get(option) not in (None, False):
            raise InvalidRequestError(f"--{option} cannot be used with --distributed: {instead}.")
    return SegmentRunner.of(ring.deployed(), ring.clients(), whole.stop)


_NOT_THERE = {
    "rate": "functions do not share a rate; `distributed.at_once` limits how many run at a time",
    "keys": "a few keys are compared from this machine",
    "sample": "a few keys are compared from this machine",
    "pairwise": "functions always compare pairwise",
}


@contextmanager
def announce_execution(
    screen: Screen,
    ring: DeployedRing,
    machine: SegmentRunner,
    tasks: Sequence[SegmentJob],
    restart: bool,
) -> Iterator[None]:
    """Print which executions are resumed, and that they continue after Ctrl-C."""
    for run in filter(None, map(machine.find_open, () if restart else tasks)):
        screen.print(
            f"Resuming the execution started on {run.begun:%Y-%m-%d at %H:%M %Z} (--restart starts "
            "over)."
        )
    try:
        yield
    except (KeyboardInterrupt, StoppedError):
        place = "the local ring while that runs" if is_local(ring) else "AWS"
        screen.print(
            f"It continues in {place}. Run the same command to follow it; --restart stops it."
        )
        raise
