"""The command `status`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import click

from commands.exit_codes import FAILED, OK
from commands.framework import RingCommand, combined_exit_code, command, examples
from commands.options.rings import running_rings_option
from commands.output.screen import Screen, ring_document
from operate.monitoring.ring_monitoring import ring_status
from operate.monitoring.status import HopStatus, Status
from operate.rings import DeployedRing, Outcome, run_on_all

_HOP_COLUMNS = (
    "hop from",
    "to",
    "mapping",
    "last result",
    "iterator age",
    "function",
    "quarantined",
    "alarms",
)


@click.command(
    cls=RingCommand,
    epilog=examples(
        "automate.py status --stack prod", "automate.py status --local http://127.0.0.1:8000"
    ),
)
@command
@running_rings_option
def status(screen: Screen, rings: Sequence[DeployedRing]) -> int:
    """Show the state of each member and hop.

    Reads from AWS: tables and streams, event source mappings with their last results, functions,
    iterator age, the number of quarantined objects, and the alarms in state ALARM.

    Exits with 1 and prints the problems if there are any, or if nothing is deployed.
    """
    outcomes = run_on_all(rings, ring_status, reads_only=True)
    documents = [
        ring_document(outcome) | (asdict(outcome.result) if outcome.result else {})
        for outcome in outcomes
    ]
    ok = all(
        outcome.result and outcome.result.members and not outcome.result.problems
        for outcome in outcomes
    )
    screen.emit({"ok": ok, "rings": documents}, lambda: _show(screen, outcomes))
    return combined_exit_code(outcome.error for outcome in outcomes) or (OK if ok else FAILED)


def _show(screen: Screen, outcomes: Sequence[Outcome[Status]]) -> None:
    for outcome in outcomes:
        name, ring = outcome.ring.label, outcome.result
        if ring is None:
            screen.print(f"{name}: {outcome.error}")
            continue
        if not ring.members:
            screen.print(f"{name}: nothing is deployed.")
            continue
        screen.print(f"{name}:\n")
        screen.table(
            ["member", "region", "table", "state", "stream", "tombstones"],
            [
                (member.name, member.region, member.table, member.state, member.stream,
                 member.tombstones)
                for member in ring.members
            ],
        )  # fmt: skip
        screen.print("")
        screen.table(_HOP_COLUMNS, [_row(hop) for hop in ring.hops])
        for line in ring.problems:
            screen.print(f"\n! {line}")
        for line in ring.notes:
            screen.print(f"\n  {line}")
        screen.print("")


def _row(hop: HopStatus) -> tuple[object, ...]:
    return (
        hop.source,
        hop.target,
        hop.mapping,
        hop.last_result,
        None if hop.iterator_age is None else f"{hop.iterator_age:.1f} s",
        hop.function,
        hop.quarantined,
        None if hop.alarms is None else len(hop.alarms),
    )
