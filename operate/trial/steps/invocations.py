"""Sum up the REPORT lines that Lambda writes to a function's log.

https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from operate.monitoring.hop_logs import HopLogs
from operate.trial.context import Trial
from operate.trial.verdicts import Cell

_FIELD = re.compile(
    r"(Billed Duration|Init Duration|Duration|Memory Size|Max Memory Used): ([\d.]+) (?:ms|MB)"
)


@dataclass(frozen=True)
class Invocations:
    """The invocations of a function: seconds, and MB. None: the lines do not say it."""

    number: int
    seconds: float
    billed: float | None
    init: float
    memory_used: int | None
    memory_size: int | None

    @property
    def memory_share(self) -> float:
        """The largest part of its memory that it used."""
        return (self.memory_used or 0) / self.memory_size if self.memory_size else 0.0

    def cells(self) -> tuple[Cell, ...]:
        """Return a row of a table."""
        each = round(1000 * self.seconds / self.number, 1) if self.number else None
        billed = None if self.billed is None else round(self.billed, 1)
        memory = (self.memory_used, self.memory_size)
        return (self.number, round(self.seconds, 1), billed, each, *memory)


def sum_up(lines: Iterable[str]) -> Invocations:
    """Sum up the REPORT lines among these."""
    reports = [dict(_FIELD.findall(line)) for line in lines if line.startswith("REPORT ")]
    billed = [one["Billed Duration"] for one in reports if "Billed Duration" in one]
    used = [int(one["Max Memory Used"]) for one in reports if "Max Memory Used" in one]
    size = [int(one["Memory Size"]) for one in reports if "Memory Size" in one]
    return Invocations(
        len(reports),
        sum(float(one.get("Duration", 0)) for one in reports) / 1000,
        sum(map(float, billed)) / 1000 if billed and len(billed) == len(reports) else None,
        sum(float(one.get("Init Duration", 0)) for one in reports) / 1000,
        max(used, default=None),
        max(size, default=None),
    )


def invocations_of(trial: Trial, since: float) -> dict[str, Invocations]:
    """Return the invocations of each hop since a time. Raises `OperateError`."""
    logs = HopLogs(trial.deployed, trial.clients)
    return {
        f"{hop.source} -> {hop.target}": sum_up(line.text for line in logs.lines(hop, since))
        for hop in trial.deployed.hops
    }
