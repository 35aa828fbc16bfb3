"""Check and backfill as jobs whose segments are processed in functions: see `executions`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from operate.distributed.executions import SegmentJob, SegmentRunner
from operate.distributed.results import collect_backfill, collect_check
from operate.errors import InvalidRequestError
from operate.reconcile import backfill, check
from operate.reconcile.backfill import BackfillResult, Route
from operate.reconcile.check import CheckOptions
from operate.reconcile.check_result import CheckResult
from operate.reconcile.journal import COMPARED, Journal
from operate.reconcile.members import MemberConnection, table_identities
from operate.reporting import ProgressCallback, no_progress

LONGEST_SETTLE = 180.0
"""Seconds: a call has 15 minutes, and may read what differs five times."""


def check_job(members: Sequence[MemberConnection], options: CheckOptions) -> SegmentJob:
    """Describe a check as a job. Raises InvalidRequestError for options that functions lack."""
    if options.settle_seconds > LONGEST_SETTLE:
        raise InvalidRequestError(
            f"--settle-seconds {options.settle_seconds:g} is too long: a function has 15 minutes, "
            f"and waits so long up to {options.max_rechecks - 1} times. Use {LONGEST_SETTLE:g} or "
            "less."
        )
    return SegmentJob(
        "check",
        {"settle": options.settle_seconds, "tombstones": options.tombstones},
        members,
        list(check.table_segments(members, options.segment_count)),
        [table_identities(members), options.segment_count, options.tombstones],
    )


def check_distributed(
    runner: SegmentRunner,
    job: SegmentJob,
    journal: Journal,
    *,
    restart: bool = False,
    on_progress: ProgressCallback = no_progress,
) -> tuple[CheckResult, float]:
    """Compare members; the differences are in the journal then, as after `reconcile.check.check`.

    Also returns the capacity units that the functions used, which the journal does not have. Raises
    `OperateError`.
    """
    compared, units = journal.phase_count(COMPARED), 0.0
    if compared is None:
        run = runner.run_to_completion(job, restart=restart, on_progress=on_progress)
        checked, units = collect_check(runner.collect(run, job), journal)
        compared = checked.compared
        journal.mark_phase_done(COMPARED, compared)
    runner.delete_results(job)
    return CheckResult(compared, journal.counts()), units


def expect_writes(runner: SegmentRunner) -> None:
    """Raise InvalidRequestError if the functions may only read."""
    if not runner.part.writes:
        raise InvalidRequestError(
            "The functions of this ring may only read. Set `distributed.writes: true` and run "
            "`up`, or leave --distributed out."
        )


def backfill_job(members: Sequence[MemberConnection], route: Route, segments: int) -> SegmentJob:
    """Describe a backfill along a route as a job."""
    ends = (route.source, route.target)
    parts = list(backfill.route_segments(members, [route], segments))
    about = [table_identities(members), ends, segments]
    return SegmentJob("backfill", {"route": ends}, members, parts, about)


def backfill_distributed(
    runner: SegmentRunner,
    jobs: Sequence[SegmentJob],
    journal: Journal,
    *,
    restart: bool = False,
    on_progress: ProgressCallback = no_progress,
) -> BackfillResult:
    """Fill members, one route after the other, as `operate.reconcile.backfill.backfill` does.

    No results are deleted before all jobs are done, so that a call after an interruption repeats
    none of them. Raises `OperateError`.
    """
    executions = [
        runner.run_to_completion(job, restart=restart, on_progress=on_progress) for job in jobs
    ]
    calls = (runner.collect(run, job) for run, job in zip(executions, jobs, strict=True))
    result, _ = collect_backfill(chain.from_iterable(calls), journal)
    for job in jobs:
        runner.delete_results(job)
    return result
