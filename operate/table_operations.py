"""Check, repair, backfill and redrive a ring, as functions of the ring.

Each one keeps a checkpoint file, so that a call that was interrupted continues when it is repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from operate.backfill_operation import BackfillOperation
from operate.check_run import CheckReport, CheckRun, ignore_difference
from operate.errors import InvalidRequestError
from operate.quarantine.catalogue import RedriveList
from operate.quarantine.listing import QuarantinedEntry, RingQuarantine
from operate.quarantine.redrive import RedriveOptions, RedriveResult
from operate.reconcile.backfill import BackfillResult
from operate.reconcile.check import CheckOptions
from operate.reconcile.repair import RepairResult
from operate.reporting import ProgressCallback, no_progress
from operate.rings import DeployedRing
from operate.table_options import DEFAULT_OPTIONS, TableOptions


@dataclass(frozen=True)
class RepairReport:
    """Result of a repair: the check before it, and what was repaired."""

    check: CheckReport
    repair: RepairResult


def check(  # noqa: PLR0913 - keywords, each with a default
    ring: DeployedRing,
    options: CheckOptions | None = None,
    *,
    only: Sequence[str] = (),
    table_options: TableOptions = DEFAULT_OPTIONS,
    on_progress: ProgressCallback = no_progress,
    on_difference: Callable[[Mapping[str, Any]], object] = ignore_difference,
) -> CheckReport:
    """Compare all members of a ring, or `only` those named. Changes nothing.

    `on_difference` is called with each key that differs: the report has the first ones. Raises
    `OperateError`.
    """
    run = _check_run(ring, options, only, table_options)
    with run.open("check") as journal:
        return run.check(journal, on_progress, on_difference)


def repair(  # noqa: PLR0913 - keywords, each with a default
    ring: DeployedRing,
    options: CheckOptions | None = None,
    *,
    prefer: str | None = None,
    dry_run: bool = False,
    only: Sequence[str] = (),
    table_options: TableOptions = DEFAULT_OPTIONS,
    on_progress: ProgressCallback = no_progress,
) -> RepairReport:
    """Check a ring, and copy the newest version of each key that differs to all members.

    `prefer` names the member whose items win where no version decides. With `dry_run`, nothing is
    written. Raises `OperateError`.
    """
    run = _check_run(ring, options, only, table_options)
    if prefer is not None:
        run.member_index(prefer)  # before anything is read
    with run.open("repair") as journal:
        report = run.check(journal, on_progress)
        result = run.repair(journal, prefer, dry_run=dry_run, on_progress=on_progress)
        return RepairReport(report, result)


def backfill(  # noqa: PLR0913 - keywords, each with a default
    ring: DeployedRing,
    into: Sequence[str] = (),
    *,
    source: str | None = None,
    segments: int | None = None,
    table_options: TableOptions = DEFAULT_OPTIONS,
    on_progress: ProgressCallback = no_progress,
) -> BackfillResult:
    """Copy missing items into members: those named, or every one from its predecessor.

    `source` names the member to copy from. Default: the one whose hop leads to the target.
    `segments` are the parallel scan segments per table. Raises `OperateError`.
    """
    operation = BackfillOperation(ring, into, source, segments, table_options)
    with operation.open() as journal:
        return operation.run(journal, on_progress)


def quarantined(ring: DeployedRing, ids: Sequence[str] | None = None) -> RedriveList:
    """List quarantined records: all of a ring, or those with the given IDs that exist.

    Iterating over the list yields a document for each. Raises `OperateError`.
    """
    quarantine = RingQuarantine.of(ring)
    if ids is None:
        return RedriveList(quarantine.entries())
    found: list[QuarantinedEntry | None] = [quarantine.find(name) for name in dict.fromkeys(ids)]
    return RedriveList(entry for entry in found if entry)


def redrive(
    ring: DeployedRing,
    ids: Sequence[str] | None = None,
    *,
    options: RedriveOptions | None = None,
    on_result: Callable[[RedriveResult], None] = lambda _: None,
) -> RedriveList:
    """Replay quarantined records: all of a ring, or those with the given IDs.

    Iterating over the returned list yields a document with the outcome of each; `stays` is whether
    any is still in the quarantine. Raises `OperateError`; `InvalidRequestError` for unknown IDs.
    """
    entries = quarantined(ring, ids)
    if missing := set(ids or ()) - {document["id"] for document in entries}:
        raise InvalidRequestError(
            f"{', '.join(sorted(missing))}: not in the quarantine (any more). Nothing was replayed."
        )
    entries.redrive(options or RedriveOptions(dry_run=False), on_result)
    return entries


def _check_run(
    ring: DeployedRing,
    options: CheckOptions | None,
    only: Sequence[str],
    table_options: TableOptions,
) -> CheckRun:
    members = table_options.connect(ring, only)
    return CheckRun(ring, members, options or CheckOptions(), table_options)
