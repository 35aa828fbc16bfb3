"""The command `lag`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import click

from commands.framework import RingCommand, combined_exit_code, command, examples
from commands.options.rings import running_rings_option
from commands.output.screen import Screen, ring_document
from operate.monitoring.lag import MOST_MINUTES, HopLag, Percentiles
from operate.monitoring.ring_monitoring import ring_lag
from operate.rings import DeployedRing, Outcome, run_on_all

_Outcomes = Sequence[Outcome[tuple[HopLag, ...]]]


@click.command(
    cls=RingCommand,
    epilog=examples("automate.py lag --stack prod", "automate.py lag --stack prod --minutes 60"),
)
@command
@running_rings_option
@click.option(
    "--minutes",
    type=click.IntRange(1, MOST_MINUTES),
    default=15,
    show_default=True,
    metavar="MINUTES",
    help="Minutes to look back.",
)
def lag(screen: Screen, rings: Sequence[DeployedRing], minutes: int) -> int:
    """Show replication lag per member and around the ring.

    p50, p99 and maximum, from the metrics of the hops. A hop's lag is the time since the write at
    its origin, including the hops before. If the heartbeat is on, heartbeats show the lag of a ring
    without traffic.
    """
    outcomes = run_on_all(rings, lambda ring: ring_lag(ring, minutes), reads_only=True)
    documents = [
        ring_document(outcome) | {"hops": [*map(asdict, outcome.result or ())]}
        for outcome in outcomes
    ]
    code = combined_exit_code(outcome.error for outcome in outcomes)
    document = {"ok": code == 0, "minutes": minutes, "rings": documents}
    screen.emit(document, lambda: _show(screen, outcomes, minutes))
    return code


def _show(screen: Screen, outcomes: _Outcomes, minutes: int) -> None:
    for outcome in outcomes:
        if outcome.error:
            screen.print(f"{outcome.ring.label}: {outcome.error}")
            continue
        hops = outcome.result or ()
        window = "minute" if minutes == 1 else f"{minutes} minutes"
        screen.print(f"{outcome.ring.label}, in the last {window}; times in seconds:\n")
        screen.table(
            [
                "hop from",
                "to",
                "writes",
                *_PERCENTILES,
                "heartbeats",
                *_PERCENTILES,
                "iterator age",
            ],
            [
                (hop.source, hop.target, *_cells(hop.lag), *_cells(hop.heartbeat_lag), _age(hop))
                for hop in hops
            ],
        )
        screen.print("")
        screen.table(
            ["round trip from", "writes", *_PERCENTILES, "heartbeats", *_PERCENTILES],
            [
                (hop.target, *_cells(hop.round_trip), *_cells(hop.heartbeat_round_trip))
                for hop in hops
            ],
        )
        for line in _silent(hops):
            screen.print(f"\n! {line}")
        screen.print("")


_PERCENTILES = ("p50", "p99", "max")


def _cells(percentiles: Percentiles | None) -> tuple[object, ...]:
    if percentiles is None:
        return (None,) * 4
    times = (f"{value:.1f}" for value in (percentiles.p50, percentiles.p99, percentiles.max))
    return percentiles.count, *times


def _age(hop: HopLag) -> str | None:
    return None if hop.iterator_age is None else f"{hop.iterator_age:.1f}"


def _silent(hops: Sequence[HopLag]) -> list[str]:
    """Return a line for each hop without measurements, and why."""
    lines = []
    for hop in hops:
        name = f"the hop from {hop.source} to {hop.target}"
        if not any((hop.lag, hop.heartbeat_lag, hop.round_trip, hop.heartbeat_round_trip)):
            reason = (
                "and no heartbeat arrived, although it is on: is `heartbeat.every` longer?"
                if hop.heartbeat
                else "and the heartbeat is off: whether the hop works is unknown"
            )
            lines.append(f"{name}: no traffic, {reason}")
    return lines or ([] if hops else ["nothing is deployed."])
