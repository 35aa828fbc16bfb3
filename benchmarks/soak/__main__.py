"""Run a ring on this machine under load and faults: ``python -m benchmarks.soak``, ``make soak``.

Writers at all members put, update and delete; outages, throttling, delays, crashes and poisonous
items come and go, all drawn by a seed. Then the faults are cleared and the quarantine is redriven.
Exits with 1 if the members differ, a write that was acknowledged is lost, or memory, descriptors or
threads of a process have grown. Ctrl-C ends the load early; what is there is judged all the same.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.console import Console

from benchmarks.screen import Screen
from benchmarks.soak.run import MEMORY_MB, WARM_UP, Outcome, Plan, Progress, soak
from commands.exit_codes import FAILED, OK
from operate.stop import Stop

_EVERY = 10
"""A line of progress is printed every so many seconds."""


def main() -> int:
    """Run a soak and print its outcome."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.soak", description=(__doc__ or "").partition("\n\n")[2]
    )
    parser.add_argument("--seconds", type=_positive, default=75.0, help="default: 75")
    parser.add_argument("--seed", type=int, default=1, help="default: 1")
    parser.add_argument("--rate", type=_positive, default=30.0, help="writes a second; default: 30")
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")
    options = parser.parse_args()
    stop = Stop()
    signal.signal(signal.SIGTERM, lambda *_: stop.ask())
    signal.signal(signal.SIGINT, lambda *_: _interrupted(stop))
    plan = Plan(options.seconds, options.seed, options.rate)
    outcome = soak(plan, stop, _Printer(plan.seconds))
    document = {**asdict(outcome), "seed": plan.seed, "stopped": stop.is_asked}
    if options.json:
        sys.stdout.write(json.dumps(document) + "\n")
    else:
        _print(outcome, plan, document)
    return FAILED if outcome.problems else OK


def _positive(text: str) -> float:
    value = float(text)
    if value <= 0:
        raise ValueError("not positive")
    return value


def _interrupted(stop: Stop) -> None:
    """End the load; a second time, end at once."""
    if stop.is_asked:
        raise KeyboardInterrupt
    stop.ask()


class _Printer:
    """Prints progress to stderr, now and then."""

    def __init__(self, seconds: float) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._next = seconds

    def __call__(self, progress: Progress) -> None:
        if progress.left > self._next:
            return
        self._next = progress.left - _EVERY
        self._console.print(
            f"{progress.left:5.0f} s left: {progress.writes:,} writes, {progress.faults} faults, "
            f"{progress.waiting:,} records waiting",
            soft_wrap=True,
        )


def _print(outcome: Outcome, plan: Plan, document: Mapping[str, Any]) -> None:
    screen = Screen()
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    early = ", ended early" if document["stopped"] else ""
    screen.say(
        f"A soak of {outcome.seconds:.0f} s{early} (seed {plan.seed}, streams keep records for "
        f"{plan.retention:.0f} s, at a load of {load})"
    )
    screen.say(f"writes: {_counts(outcome.writes)}")
    screen.say(
        f"faults: {_counts(outcome.faults)}; redriven from the quarantine: {outcome.redriven}"
    )
    screen.table(
        f"After {WARM_UP:.0%} of the time, and in the end; memory may grow by {MEMORY_MB:.0f} MB",
        ["process", "MB", "then", "descriptors", "then", "threads", "then"],
        [
            [one.process, *(f"{value:.0f}" for pair in (one.memory, one.descriptors, one.threads)
                            for value in pair)]
            for one in outcome.growth
        ],
    )  # fmt: skip
    for problem in outcome.problems:
        screen.say(f"FAILED: {problem}")
    if not outcome.problems:
        screen.say("All members are equal, and nothing that was acknowledged is lost.")


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in sorted(counts.items())) or "none"


if __name__ == "__main__":
    sys.exit(main())
