"""The command `local`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from commands.exit_codes import FAILED, PREREQUISITE, USAGE
from commands.framework import RingCommand, examples, sigterm_as_interrupt
from ring.project import PROJECT_ROOT


@click.command(
    cls=RingCommand,
    epilog=examples(
        "automate.py local",
        "automate.py local --stack full --load orders.jsonl --into eu-west-1",
    ),
)
@click.option("--stack", default="dev", show_default=True, help="Stack whose settings to run.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=None,
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
@click.option("--into", "member", help="Member to load into. Default: the first.")
@click.option(
    "--seconds", type=click.FloatRange(min=0), help="Seconds to run. Default: until Ctrl-C."
)
def local(port: int | None, **options: Any) -> None:
    """Run a stack's ring on this machine, without an AWS account.

    It runs the program, the handler and the settings that `pulumi up` deploys. Point any AWS SDK
    at the printed endpoint.
    """
    try:
        from local import session  # noqa: PLC0415 - it needs what may not be installed
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        _end(PREREQUISITE, f"{package} is not installed: pip install -r requirements-dev.txt")
    if options["member"] and not options["file"]:
        raise click.UsageError("--into needs --load FILE.")
    if port is None:
        port = 8001 if options["dynamodb"] else 8000  # such a server may use 8000
    try:
        with sigterm_as_interrupt():
            session.run(PROJECT_ROOT, session.SessionOptions(port=port, **options))
    except session.WrongUseError as error:
        _end(USAGE, str(error))
    except session.FailedError as error:
        _end(FAILED, str(error))
    except KeyboardInterrupt:
        pass


def _end(code: int, reason: str) -> NoReturn:
    click.echo(reason, err=True)
    sys.exit(code)
