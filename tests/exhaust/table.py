"""Results in words: a row of the table, the progress, the command that replays a failure."""

from __future__ import annotations

from dataclasses import dataclass

from tests.exhaust.scope import PLAIN, Scope
from tests.exhaust.search import Failure, Result

HEAD = (
    "| members | writes | of | faults | states | transitions | at rest | seconds | MB "
    "| failed |\n"
    "| ---: | ---: | --- | --- | ---: | ---: | ---: | ---: | ---: | --- |"
)


@dataclass
class Stage:
    """When progress was shown last."""

    shown: float


def row(result: Result) -> str:
    """Return the row of a scope."""
    scope = result.scope
    failed = ", ".join(failure.kind for failure in result.failures) or "0"
    if not result.is_whole:
        failed += " (not run to its end)"
    return (
        f"| {scope.members} | {scope.writes} | {scope.describe()} | {scope.describe_faults()} "
        f"| {result.states:,} | {result.moves:,} | {result.at_rest:,} "
        f"| {result.seconds:.1f} | {result.peak_megabytes:,} | {failed} |"
    )


def format_result(result: Result) -> str:
    """Return a scope in words."""
    scope = result.scope
    contents = f"{scope.describe()}; {scope.describe_faults()}"
    writes = "1 write" if scope.writes == 1 else f"{scope.writes} writes"
    return f"{scope.members} members, {writes} ({contents})"


def format_progress(result: Result, waiting: int) -> str:
    """Return how far a scope is."""
    rate = result.moves / result.seconds if result.seconds else 0
    failed = f", {len(result.failures)} failed" if result.failures else ""
    return (
        f"{format_result(result)}: {result.seconds:.0f} s, {result.moves:,} transitions, "
        f"{rate:,.0f} a second, {waiting:,} states wait{failed}"
    )


def command(failure: Failure) -> str:
    """Return the command that replays a failure."""
    schedule = ".".join(map(str, failure.schedule))
    return f"python -m tests.exhaust {options_of(failure.scope)} --schedule {schedule}"


def options_of(scope: Scope) -> str:
    """Return a scope as options of the command line."""
    parts = [f"--members {scope.members} --writes {scope.writes}"]
    if scope.operations != PLAIN:
        parts.append(f"--operations '{','.join(scope.operations)}'")
    if scope.faults:
        parts.append(f"--faults '{','.join(scope.faults)}' --most-faults {scope.most_faults}")
    if scope.batch > 1:
        parts.append(f"--batch {scope.batch}")
    if any(scope.skews):
        parts.append(f"--skews={','.join(map(str, scope.skews))}")
    if scope.order:
        parts.append(f"--order {','.join(map(str, scope.order))}")
    flags = {
        "--later": scope.later,
        "--no-tombstones": not scope.keeps_tombstones,
        "--expiry-travels": scope.expiry_travels,
        "--adopted": scope.adopted,
        "--in-order": scope.in_order,
        "--falling": scope.falling,
        "--calm": scope.calm,
        "--late-replays": scope.late_replays,
        "--no-watch": not scope.watches,
    }
    return " ".join([*parts, *(flag for flag, is_set in flags.items() if is_set)])
