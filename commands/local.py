"""The command that runs a ring on this machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from commands.exit_codes import FAILED, PREREQUISITE, USAGE
from commands.framework import examples, sigterm_as_interrupt
from ring.project import PROJECT_ROOT


@click.command(
    epilog=examples(
        "automate.py local",
        "automate.py local --stack full --load orders.jsonl --into eu-west-1",
    )
)
@click.option("--stack", default="dev", show_default=True, help="Whose settings to run.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=None,
    help="Where to listen; 0: any free port. Default: 8000, or 8001 with --dynamodb.",
)
@click.option(
    "--dynamodb",
    metavar="URL",
    help="URL of a server that speaks DynamoDB and its streams, and keeps regions apart, to keep "
    "the tables in; they are deleted in the end. Tried: MiniStack. Not for a ring: dynoxide, which "
    "has one set of tables for all regions.",
)
@click.option(
    "--load",
    "file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Data to load first.",
)
@click.option("--into", "member", help="The member to load into; default: the first.")
@click.option(
    "--seconds", type=click.FloatRange(min=0), help="End after so long; default: at Ctrl-C."
)
def local(port: int | None, **wished: Any) -> None:
    """Run a stack's ring on this machine, without an AWS account.

    The program, the handler and the settings are those that `pulumi up` deploys. Any AWS SDK can
    be pointed at the endpoint that is printed.
    """
    try:
        from local import session  # noqa: PLC0415 - it needs what may not be installed
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        _end(PREREQUISITE, f"{package} is not installed: pip install -r requirements-dev.txt")
    if wished["member"] and not wished["file"]:
        raise click.UsageError("--into says where to --load a file: give one.")
    if port is None:
        port = 8001 if wished["dynamodb"] else 8000  # which such a server may have
    try:
        with sigterm_as_interrupt():
            session.run(PROJECT_ROOT, session.SessionOptions(port=port, **wished))
    except session.WrongUseError as error:
        _end(USAGE, str(error))
    except session.FailedError as error:
        _end(FAILED, str(error))
    except KeyboardInterrupt:
        pass


def _end(code: int, reason: str) -> NoReturn:
    click.echo(reason, err=True)
    sys.exit(code)
