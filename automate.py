#!/usr/bin/env python3
"""Command line of dynamodb-ring. `./automate.py --help` lists the commands.

Exit codes: 0 success; 1 differences or a failure; 2 invalid use or settings; 3 a missing
prerequisite.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

try:
    import click

    from commands import (
        backfill,
        check,
        cost,
        deploy,
        fault,
        local,
        membership,
        outputs,
        repair,
        trial,
        validate,
    )
    from commands.conflicts.group import conflicts
    from commands.framework import JsonAwareGroup, run
    from commands.monitoring import lag, status, watch
    from commands.quarantine import discard, redrive
    from ring.project import version
except ModuleNotFoundError as missing:
    PYTHON = str(Path(__file__).resolve().parent / ".venv/bin/python")  # made by `make setup`
    if __name__ == "__main__" and "AUTOMATE_IN_VENV" not in os.environ and os.path.exists(PYTHON):
        os.execve(PYTHON, [PYTHON, *sys.argv], {**os.environ, "AUTOMATE_IN_VENV": "1"})
    PACKAGE = (missing.name or "").partition(".")[0]
    sys.stderr.write(f"{PACKAGE} is not installed: pip install -r requirements.txt\n")
    sys.exit(3)
except KeyboardInterrupt:
    sys.exit(1)


@click.group(
    cls=JsonAwareGroup,
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


for command in (
    deploy.preview,
    deploy.up,
    deploy.refresh,
    deploy.destroy,
    outputs.outputs,
    validate.validate,
    status.status,
    lag.lag,
    watch.watch,
    redrive.redrive,
    discard.discard,
    conflicts,
    membership.bypass,
    membership.rejoin,
    membership.pause,
    membership.resume,
    cost.cost,
    check.check_command,
    repair.repair_command,
    backfill.backfill_command,
    local.local,
    fault.fault,
    trial.trial,
):
    main.add_command(command)

if __name__ == "__main__":
    run(main)
