"""The command `watch`."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence

import click

from commands.exit_codes import OK
from commands.framework import RingCommand, command, examples
from commands.local_ring import RunningLocalRing
from commands.options.numbers import MOST_SECONDS, Finite
from commands.options.rings import running_rings_option, selecting_arguments
from commands.output.screen import Screen
from operate.errors import InvalidRequestError, OperationFailedError
from operate.rings import DeployedRing
from page import PageError


@click.command(
    cls=RingCommand,
    epilog=examples(
        "automate.py watch --stack prod", "automate.py watch --local http://127.0.0.1:8000"
    ),
)
@command
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=None,
    metavar="PORT",
    help="Port of the page; 0: any free one. Default: 8008, or a free one if that is taken.",
)
@click.option(
    "--seconds",
    type=Finite(min=0, max=MOST_SECONDS),
    metavar="SECONDS",
    help="Seconds to serve it. Default: until Ctrl-C.",
)
@running_rings_option
def watch(
    screen: Screen, rings: Sequence[DeployedRing], port: int | None, seconds: float | None
) -> int:
    """Serve a web page that shows the ring at work, for this machine alone.

    Of a ring on AWS it shows what metrics, logs and alarms say; of a local one every write. The
    page runs the commands of automate.py, after asking. Its address contains a key: who has it can
    see the ring's data and run these commands.
    """
    from page.server import PageServer  # noqa: PLC0415 - no other command needs it

    if len(rings) != 1:
        raise InvalidRequestError("A page shows one ring: choose it with --only.")
    (ring,) = rings
    ring.expect_ready()
    is_local = isinstance(ring, RunningLocalRing)
    if not is_local:
        ring.deployed()  # a stack that is not there is refused before anything is served
    try:
        with PageServer(ring, selecting_arguments(), is_local=is_local, port=port) as page:
            screen.emit({"ok": True, "page": page.address}, lambda: _show(screen, page.address))
            sys.stdout.flush()
            threading.Event().wait(seconds)
    except PageError as error:
        raise OperationFailedError(str(error)) from error
    except KeyboardInterrupt:
        screen.print("")
    return OK


def _show(screen: Screen, address: str) -> None:
    screen.print(f"{address}\nPress Ctrl-C to end it.")
