"""Options for parallel scan segments, on this machine or in Lambda functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

from commands.output.screen import Screen
from operate.distributed.executions import Execution
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


@contextmanager
def announce_executions(
    screen: Screen, ring: DeployedRing, executions: Sequence[Execution] | None
) -> Iterator[None]:
    """Print which executions are resumed, and that they continue after Ctrl-C.

    None: the work is done on this machine.
    """
    for execution in executions or ():
        screen.print(
            f"Resuming the execution started on {execution.begun:%Y-%m-%d at %H:%M %Z} (--restart "
            "starts over)."
        )
    try:
        yield
    except (KeyboardInterrupt, StoppedError):
        if executions is not None:
            place = "the local ring while that runs" if ring.is_local else "AWS"
            screen.print(
                f"It continues in {place}. Run the same command to follow it; --restart stops it."
            )
        raise
