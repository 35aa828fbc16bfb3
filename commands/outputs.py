"""The command `outputs`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from commands.framework import RingCommand, combined_exit_code, command, examples
from commands.options.rings import stack_rings_option
from commands.output.screen import Screen, ring_document
from operate.deployment.stack import RingStack
from operate.rings import Outcome, run_on_all


@click.command(cls=RingCommand, epilog=examples("automate.py outputs --stack dev --json"))
@command
@stack_rings_option
@click.option("--show-secrets", is_flag=True, help="Show secrets in plain text.")
def outputs(screen: Screen, rings: Sequence[RingStack], show_secrets: bool) -> int:
    """Show what stacks export: tables, streams, functions, mappings."""
    outcomes = run_on_all(
        rings, lambda ring: ring.outputs(show_secrets=show_secrets), reads_only=True
    )
    documents = [
        ring_document(outcome) | ({} if outcome.error else {"outputs": outcome.result})
        for outcome in outcomes
    ]
    ok = not any(outcome.error for outcome in outcomes)
    screen.emit({"ok": ok, "rings": documents}, lambda: _show(screen, outcomes))
    return combined_exit_code(outcome.error for outcome in outcomes)


def _show(screen: Screen, outcomes: Sequence[Outcome[dict[str, Any]]]) -> None:
    for outcome in outcomes:
        name, values = outcome.ring.label, outcome.result or {}
        if outcome.error:
            screen.print(f"{name}: {outcome.error}")
            continue
        screen.print(f"{name}:" if values else f"{name}: nothing is deployed.")
        for output, value in values.items():
            rows = value if isinstance(value, list) else [value]
            screen.print(f"\n{output}")
            for row in rows:
                for key, cell in row.items() if isinstance(row, dict) else [("", row)]:
                    screen.print(f"  {key:<12} {cell if cell is not None else '-'}")
                screen.print("")
