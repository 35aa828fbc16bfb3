#!/usr/bin/env python3
"""Command line of dynamodb-ring. `./automate.py --help` lists the commands.

Exit codes: 0 success; 1 differences or a failure; 2 invalid use or settings; 3 a missing
prerequisite.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn


def use_environment(missing: ModuleNotFoundError) -> NoReturn:
    """Start over with the Python that `make setup` made, or say which package is missing."""
    python = str(Path(__file__).resolve().parent / ".venv/bin/python")
    if __name__ == "__main__" and "AUTOMATE_IN_VENV" not in os.environ and os.path.exists(python):
        os.execve(python, [python, *sys.argv], {**os.environ, "AUTOMATE_IN_VENV": "1"})
    package = (missing.name or "").partition(".")[0]
    sys.stderr.write(f"{package} is not installed: pip install -r requirements.txt\n")
    sys.exit(3)


try:
    import click

    from commands.framework import JsonAwareGroup, LazyCommands, run
    from ring.project import version
except ModuleNotFoundError as missing:
    use_environment(missing)
except KeyboardInterrupt:
    sys.exit(1)

COMMANDS = LazyCommands(
    {
        "backfill": "commands.backfill.backfill_command",
        "bypass": "commands.membership.bypass",
        "check": "commands.check.check_command",
        "conflicts": "commands.conflicts.group.conflicts",
        "cost": "commands.cost.cost",
        "destroy": "commands.deploy.destroy",
        "discard": "commands.quarantine.discard.discard",
        "fault": "commands.fault.fault",
        "lag": "commands.monitoring.lag.lag",
        "local": "commands.local.local",
        "outputs": "commands.outputs.outputs",
        "pause": "commands.membership.pause",
        "preview": "commands.deploy.preview",
        "redrive": "commands.quarantine.redrive.redrive",
        "refresh": "commands.deploy.refresh",
        "rejoin": "commands.membership.rejoin",
        "repair": "commands.repair.repair_command",
        "resume": "commands.membership.resume",
        "status": "commands.monitoring.status.status",
        "trial": "commands.trial.trial",
        "up": "commands.deploy.up",
        "validate": "commands.validate.validate",
        "watch": "commands.monitoring.watch.watch",
    },
    use_environment,
)


@click.group(
    cls=JsonAwareGroup,
    commands=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 success; 1 differences or a failure; 2 invalid use or settings; "
    "3 a missing prerequisite: Pulumi's CLI, a package, a login, credentials.",
)
@click.version_option(version(), prog_name="dynamodb-ring")
def main() -> None:
    """Deploy, monitor and operate rings of DynamoDB tables.

    Select rings with --stack NAME, as in `pulumi`; with --file RINGS.yaml, for many at a time; or,
    for `up`, `preview`, `validate` and `cost`, a ring described by --table, --key, --member and so
    on. `automate.py local` runs one on this machine, for --local URL.
    """


if __name__ == "__main__":
    run(main)
