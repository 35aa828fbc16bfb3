"""The command `validate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from commands.exit_codes import OK
from commands.framework import RingCommand, command, examples
from commands.options.rings import described_rings_option
from commands.output.screen import Screen
from operate.deployment.stack import RingStack
from ring.settings.members import members_of
from ring.settings.settings import Settings
from ring.text import counted
from ring.topology import deployed_hops


@click.command(
    cls=RingCommand,
    epilog=examples(
        "automate.py validate --stack prod",
        "automate.py validate --file rings.yaml",
    ),
)
@command
@described_rings_option
def validate(screen: Screen, rings: Sequence[RingStack]) -> int:
    """Validate settings and report every error.

    Sends no request to AWS, and needs Pulumi only to decrypt encrypted settings.
    """
    valid = {ring.label: ring.settings() for ring in rings}
    documents = [{"ring": name, **_summary(settings)} for name, settings in valid.items()]
    screen.emit({"ok": True, "rings": documents}, lambda: _show(screen, valid))
    return OK


def _summary(settings: Settings) -> dict[str, Any]:
    members = [
        {"name": member.name, "region": member.region, "table": member.table}
        for member in members_of(settings)
    ]
    hops = [
        {"source": hop.source.name, "target": hop.target.name} for hop in deployed_hops(settings)
    ]
    return {"members": members, "hops": hops}


def _show(screen: Screen, valid: Mapping[str, Settings]) -> None:
    for name, settings in valid.items():
        hops = deployed_hops(settings)
        members, count = counted(len(settings.members), "member"), counted(len(hops), "hop")
        screen.print(f"{name}: valid. {members}, {count}:")
        for hop in hops:
            screen.print(
                f"  {hop.source.name} ({hop.source.table}) -> "
                f"{hop.target.name} ({hop.target.table})"
            )
