"""The command `local`."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from commands.exit_codes import FAILED, PREREQUISITE, USAGE
from commands.framework import RingCommand, RingOption, examples
from commands.interrupts import sigterm_as_interrupt
from commands.local_ring import RunningLocalRing
from commands.options.numbers import MOST_SECONDS, Finite
from commands.options.rings import folder_option, home
from local import session
from local.endpoint.listener import LOOPBACK, Port, listen
from page import PageError

if TYPE_CHECKING:
    from page.server import PageServer


@click.command(
    cls=RingCommand,
    epilog=examples(
        "automate.py local",
        "automate.py local --stack full --load orders.jsonl --into eu-west-1",
    ),
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=None,
    metavar="PORT",
    help="Port to listen on; 0: any free one. Default: 8000, or 8001 with --dynamodb.",
)
@click.option(
    "--dynamodb",
    metavar="URL",
    help="Server with the API of DynamoDB and its streams, and separate regions, for the tables; "
    "they are deleted at the end. Tested: MiniStack. Not dynoxide: its regions share one set of "
    "tables.",
)
@click.option(
    "--load",
    "file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File with items to load first.",
)
@click.option("--into", "member", metavar="NAME", help="Member to load into. Default: the first.")
@click.option(
    "--page",
    type=click.IntRange(0, 65535),
    default=None,
    metavar="PORT",
    help="Port of the page that shows the ring; 0: any free one. Default: 8008, or a free one if "
    "that is taken or with --port 0.",
)
@click.option("--no-page", is_flag=True, help="Serve no page.")
@click.option(
    "--seconds",
    type=Finite(min=0, max=MOST_SECONDS),
    metavar="SECONDS",
    help="Seconds to run. Default: until Ctrl-C.",
)
@click.option(
    "--stack",
    cls=RingOption,
    default="dev",
    show_default=True,
    metavar="NAME",
    help="Stack whose settings to run.",
)
@folder_option
def local(
    port: int | None, page: int | None, no_page: bool, folder: Path | None, **options: Any
) -> None:
    """Run a stack's ring on this machine, without an AWS account.

    It runs the program, the handler and the settings that `pulumi up` deploys. Point any AWS SDK
    at the printed endpoint, and a browser at the printed page.
    """
    if find_spec("moto") is None:
        _end(PREREQUISITE, "moto is not installed: pip install -r requirements-dev.txt")
    if options["member"] and not options["file"]:
        raise click.UsageError("--into needs --load FILE.")
    if port is None:
        port = 8001 if options["dynamodb"] else 8000  # such a server may use 8000
    if page is None and not port:
        page = 0
    try:
        # A free port is taken at once: the page has to know it before the ring runs.
        with sigterm_as_interrupt(), nullcontext(port) if port else listen(0) as place:
            served = None if no_page else _page(place, page)
            given = session.SessionOptions(port=place, page=served, **options)
            session.run(folder or home(), given)
    except session.WrongUseError as error:
        _end(USAGE, str(error))
    except (session.FailedError, PageError) as error:
        _end(FAILED, str(error))
    except KeyboardInterrupt:
        pass


def _page(port: Port, page_port: int | None) -> PageServer:
    """Return the page of the ring at a port of this machine; `page_port` as for `PageServer`."""
    from page.server import PageServer  # noqa: PLC0415 - no other command needs it

    number = port if isinstance(port, int) else port.getsockname()[1]
    endpoint = f"http://{LOOPBACK}:{number}"
    ring = RunningLocalRing(endpoint)
    return PageServer(ring, ["--local", endpoint], is_local=True, port=page_port)


def _end(code: int, reason: str) -> NoReturn:
    click.echo(reason, err=True)
    sys.exit(code)
