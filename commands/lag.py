"""The command that tells how far members are behind each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from commands.framework import combined_exit_code, command, examples
from commands.options.rings import running_rings_option
from commands.output.screen import Screen, ring_document
from operate.monitoring.lag import MOST_MINUTES, HopLag, Percentiles
from operate.monitoring.lag import lag as ask
from operate.rings import DeployedRing, Outcome, run_on_all

_Ends = Sequence[Outcome[tuple[HopLag, ...]]]


@click.command(
    epilog=examples("automate.py lag --stack prod", "automate.py lag --stack prod --minutes 60")
)
@command
@running_rings_option
@click.option(
    "--minutes",
    type=click.IntRange(1, MOST_MINUTES),
    default=15,
    show_default=True,
    help="How far to look back.",
)
def lag(screen: Screen, rings: Sequence[DeployedRing], minutes: int) -> int:
    """Tell how long writes take to each member, and around the whole ring.

    By the metrics of the hops: half of the writes, and 99 of 100, took no longer. A hop's lag is
    from the write at its origin, the hops before included. Where the heartbeat is on, beats tell
    the same of a ring that nobody writes to.
    """
    ended = run_on_all(
        rings, lambda ring: ask(ring.deployed(), ring.clients(), minutes), reads_only=True
    )
    told = [ring_document(one) | {"hops": [*map(_document, one.result or ())]} for one in ended]
    code = combined_exit_code(one.error for one in ended)
    document = {"ok": code == 0, "minutes": minutes, "rings": told}
    screen.emit(document, lambda: _show(screen, ended, minutes))
    return code


def _document(hop: HopLag) -> dict[str, Any]:
    whole = hop.whole_lap
    return {**asdict(hop), "whole_lap": asdict(whole) if whole else None}


def _show(screen: Screen, ended: _Ends, minutes: int) -> None:
    for one in ended:
        if one.error:
            screen.print(f"{one.ring.label}: {one.error}")
            continue
        hops = one.result or ()
        window = "minute" if minutes == 1 else f"{minutes} minutes"
        screen.print(f"{one.ring.label}, in the last {window}; in seconds:\n")
        screen.table(
            ["hop from", "to", "writes", *_SPREAD, "beats", *_SPREAD, "iterator age"],
            [
                (each.source, each.target, *_cells(each.lag), *_cells(each.beat_lag), _age(each))
                for each in hops
            ],
        )
        screen.print("")
        screen.table(
            ["whole lap from", "writes", *_SPREAD, "beats", *_SPREAD],
            [(each.target, *_cells(each.lap), *_cells(each.beat_lap)) for each in hops],
        )
        for line in _silent(hops):
            screen.print(f"\n! {line}")
        screen.print("")


_SPREAD = ("p50", "p99", "max")


def _cells(spread: Percentiles | None) -> tuple[object, ...]:
    if spread is None:
        return (None,) * 4
    times = (f"{value:.1f}" for value in (spread.p50, spread.p99, spread.greatest))
    return spread.count, *times


def _age(hop: HopLag) -> str | None:
    return None if hop.iterator_age is None else f"{hop.iterator_age:.1f}"


def _silent(hops: Sequence[HopLag]) -> list[str]:
    """What is not known, and why."""
    told = []
    for hop in hops:
        name = f"the hop from {hop.source} to {hop.target}"
        if not any((hop.lag, hop.beat_lag, hop.whole_lap)):
            why = (
                "and no heartbeat came by, though it is on: is `heartbeat.every` longer?"
                if hop.heartbeat
                else "and the heartbeat is off: whether it works is not known"
            )
            told.append(f"{name}: no traffic, {why}")
    return told or ([] if hops else ["nothing is deployed."])
