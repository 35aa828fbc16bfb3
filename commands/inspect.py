"""Commands that look at rings and change nothing: outputs, validate, status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import click

from commands.exit_codes import FAILED, OK
from commands.framework import combined_exit_code, command, examples
from commands.options.rings import described_rings_option, running_rings_option, stack_rings_option
from commands.output.screen import Screen, ring_document
from operate.deployment.stack import RingStack
from operate.monitoring.status import Status
from operate.monitoring.status import status as ask
from operate.rings import DeployedRing, Outcome, run_on_all
from ring.settings.members import members_of
from ring.settings.settings import Settings
from ring.text import counted
from ring.topology import deployed_hops


@click.command(epilog=examples("automate.py outputs --stack dev --json"))
@command
@stack_rings_option
@click.option("--show-secrets", is_flag=True, help="Show secrets in plain text.")
def outputs(screen: Screen, rings: Sequence[RingStack], show_secrets: bool) -> int:
    """Tell what the stacks export: the tables and streams, the functions and mappings."""
    ended = run_on_all(rings, lambda ring: ring.outputs(show_secrets=show_secrets), reads_only=True)
    told = [ring_document(one) | ({} if one.error else {"outputs": one.result}) for one in ended]
    sound = not any(one.error for one in ended)
    screen.emit({"ok": sound, "rings": told}, lambda: _show_outputs(screen, ended))
    return combined_exit_code(one.error for one in ended)


def _show_outputs(screen: Screen, ended: Sequence[Outcome[dict[str, Any]]]) -> None:
    for one in ended:
        name, values = one.ring.label, one.result or {}
        if one.error:
            screen.print(f"{name}: {one.error}")
            continue
        screen.print(f"{name}:" if values else f"{name}: nothing is deployed.")
        for output, value in values.items():
            rows = value if isinstance(value, list) else [value]
            screen.print(f"\n{output}")
            for row in rows:
                for key, cell in row.items() if isinstance(row, dict) else [("", row)]:
                    screen.print(f"  {key:<12} {cell if cell is not None else '-'}")
                screen.print("")


@click.command(
    epilog=examples(
        "automate.py validate --stack prod",
        "automate.py validate --file rings.yaml",
    )
)
@command
@described_rings_option
def validate(screen: Screen, rings: Sequence[RingStack]) -> int:
    """Judge settings, and tell all that is wrong with them. Nothing is asked of Pulumi or AWS.

    (But for a stack's file with encrypted values: only Pulumi can read those.)
    """
    sound = {ring.label: ring.settings() for ring in rings}
    document = [{"ring": name, **_summary(settings)} for name, settings in sound.items()]
    screen.emit({"ok": True, "rings": document}, lambda: _show_sound(screen, sound))
    return OK


def _summary(settings: Settings) -> dict[str, Any]:
    members = [
        {"name": one.name, "region": one.region, "table": one.table} for one in members_of(settings)
    ]
    ways = [
        {"source": hop.source.name, "target": hop.target.name} for hop in deployed_hops(settings)
    ]
    return {"members": members, "hops": ways}


def _show_sound(screen: Screen, sound: Mapping[str, Settings]) -> None:
    for name, settings in sound.items():
        ways = deployed_hops(settings)
        members, count = counted(len(settings.members), "member"), counted(len(ways), "hop")
        screen.print(f"{name}: sound. {members}, {count}:")
        for hop in ways:
            screen.print(
                f"  {hop.source.name} ({hop.source.table}) -> "
                f"{hop.target.name} ({hop.target.table})"
            )


@click.command(
    epilog=examples(
        "automate.py status --stack prod", "automate.py status --local http://127.0.0.1:8000"
    )
)
@command
@running_rings_option
def status(screen: Screen, rings: Sequence[DeployedRing]) -> int:
    """Show each member and hop as AWS sees them now.

    Tables and streams, mappings and their last results, functions, the age of the records that
    they are given, how many lie in quarantine, and which alarms ring.

    Exits with 1 if anything is not as it should be, or nothing is deployed, and says what.
    """
    ended = run_on_all(rings, lambda ring: ask(ring.deployed(), ring.clients()), reads_only=True)
    told = [ring_document(one) | (asdict(one.result) if one.result else {}) for one in ended]
    sound = all(one.result and one.result.members and not one.result.trouble for one in ended)
    screen.emit({"ok": sound, "rings": told}, lambda: _show_status(screen, ended))
    return combined_exit_code(one.error for one in ended) or (OK if sound else FAILED)


def _show_status(screen: Screen, ended: Sequence[Outcome[Status]]) -> None:
    for ring in ended:
        name, one = ring.ring.label, ring.result
        if one is None:
            screen.print(f"{name}: {ring.error}")
            continue
        if not one.members:
            screen.print(f"{name}: nothing is deployed.")
            continue
        screen.print(f"{name}:\n")
        screen.table(
            ["member", "region", "table", "state", "stream", "tombstones"],
            [
                (each.name, each.region, each.table, each.state, each.stream, each.tombstones)
                for each in one.members
            ],
        )
        screen.print("")
        screen.table(
            [
                "hop from",
                "to",
                "mapping",
                "last result",
                "iterator age",
                "function",
                "quarantined",
                "ringing",
            ],
            [
                (
                    each.source,
                    each.target,
                    each.mapping,
                    each.last_result,
                    None if each.iterator_age is None else f"{each.iterator_age:.1f} s",
                    each.function,
                    each.quarantined,
                    None if each.alarms is None else len(each.alarms),
                )
                for each in one.hops
            ],
        )
        for line in one.trouble:
            screen.print(f"\n! {line}")
        for line in one.notes:
            screen.print(f"\n  {line}")
        screen.print("")
