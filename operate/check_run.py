"""A check of a ring's members, on this machine or in functions, and repairs of what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from operate.deployed import member_index
from operate.distributed.executions import Execution
from operate.distributed.jobs import check_distributed, check_job
from operate.durations import format_duration
from operate.errors import InvalidRequestError
from operate.reconcile.check import CheckOptions, check
from operate.reconcile.check_result import CheckResult, findings
from operate.reconcile.journal import Journal
from operate.reconcile.journal_values import RowShape
from operate.reconcile.members import MemberConnection, table_identities
from operate.reconcile.repair import RepairResult, repair
from operate.reporting import ProgressCallback, no_progress
from operate.rings import DeployedRing
from operate.table_options import DEFAULT_OPTIONS, TableOptions, not_distributed

MAX_AGE = 3600.0
"""Seconds for which a finished comparison can be resumed, by a repair that was interrupted."""
_MAX_DIFFERENCES = 20
_FROM_HERE = "a few keys are compared from this machine"


@dataclass(frozen=True)
class CheckReport:
    """Result of a check: the counts, the first differences as documents, the cost, the members.

    Each difference has the keys `key`, `kind` and `members`, as a line of `check --report`.
    """

    result: CheckResult
    differences: Sequence[Mapping[str, Any]]
    capacity_units: float
    members: Sequence[str]
    """Names of the members that were compared."""
    is_partial: bool = False
    """Whether other keys were left out: by `keys` or `sample`."""

    @property
    def in_sync(self) -> bool:
        """Whether every key that was compared was found to be the same at all members."""
        return not self.result.differing and not self.result.changing


def ignore_difference(difference: Mapping[str, Any]) -> None:
    """Ignore a difference."""


class CheckRun:
    """A check of a ring: validated and connected, nothing read yet.

    Raises:
        InvalidRequestError: An option that the ring, or its functions, do not support.
    """

    def __init__(
        self,
        ring: DeployedRing,
        members: Sequence[MemberConnection],
        options: CheckOptions,
        table_options: TableOptions = DEFAULT_OPTIONS,
    ) -> None:
        self.members = members
        self.ring, self.stop = ring, table_options.stop
        self._table_options = table_options
        self._runner = table_options.runner(ring)
        if self._runner:
            _expect_distributable(options)
        without = [member.name for member in members if member.tables.tombstones is None]
        if options.tombstones and without:
            raise InvalidRequestError(
                f"--tombstones: {without[0]} has none, by `tombstones.enabled`."
            )
        count = table_options.segment_count(ring, options.segments)
        self._options = replace(options, segments=count)
        self._job = check_job(members, self._options) if self._runner else None

    @property
    def _identity(self) -> list[Any]:
        """What a checkpoint belongs to: only the same comparison may resume from it."""
        options = self._options
        parts = [options.keys, options.sample, options.segments, options.pairwise]
        return [table_identities(self.members), *parts, options.tombstones, self._runner is None]

    @contextmanager
    def open(self, operation: str) -> Iterator[Journal]:
        """Open the checkpoint file of a check or a repair.

        It is deleted after a success. A comparison that was finished `MAX_AGE` seconds ago says
        nothing of today's tables: it is made again.
        """
        shape = RowShape(len(self.members[0].keys), len(self.members))
        opening = self._table_options.open_journal(self.ring, operation, self._identity, shape)
        with opening as journal:
            if journal.resumed and journal.is_compared() and journal.age > MAX_AGE:
                journal.start_over()
                age = format_duration(timedelta(seconds=journal.age))
                self._table_options.on_note(
                    f"{self.ring.label}: {journal.path} is {age} old. All is compared again."
                )
            yield journal

    def executions(self) -> list[Execution] | None:
        """Return the executions that `check` will resume; None: it runs on this machine."""
        if self._runner is None or self._job is None:
            return None
        found = None if self._table_options.restart else self._runner.find_open(self._job)
        return [found] if found else []

    def check(
        self,
        journal: Journal,
        on_progress: ProgressCallback = no_progress,
        on_difference: Callable[[Mapping[str, Any]], object] = ignore_difference,
    ) -> CheckReport:
        """Compare the members. `on_difference` is called with the document of each key."""
        result, units = self._check(journal, on_progress)
        first: list[Mapping[str, Any]] = []
        for found in findings(journal):
            document = found.document(self.members)
            on_difference(document)
            if len(first) < _MAX_DIFFERENCES:
                first.append(document)
            elif on_difference is ignore_difference:
                break
        spent = units + sum(member.rate_limiter.spent for member in self.members)
        is_partial = self._options.keys is not None or self._options.sample is not None
        names = [member.name for member in self.members]
        return CheckReport(result, first, spent, names, is_partial)

    def _check(self, journal: Journal, on_progress: ProgressCallback) -> tuple[CheckResult, float]:
        """Run the check; also return the capacity units that functions used."""
        if self._runner is None or self._job is None:
            return check(self.members, journal, self._options, on_progress), 0.0
        restart = self._table_options.restart
        return check_distributed(
            self._runner, self._job, journal, restart=restart, on_progress=on_progress
        )

    def repair(
        self,
        journal: Journal,
        prefer: str | None = None,
        *,
        dry_run: bool = False,
        on_progress: ProgressCallback = no_progress,
    ) -> RepairResult:
        """Repair what `check` has found. Raises `OperateError`, also if `prefer` is no member."""
        preferred = None if prefer is None else self.member_index(prefer)
        return repair(
            self.members, journal, prefer=preferred, dry_run=dry_run, on_progress=on_progress
        )

    def member_index(self, name: str) -> int:
        """Return a member's index. Raises `InvalidRequestError` if there is none of that name."""
        return member_index([member.name for member in self.members], name)


def _expect_distributable(options: CheckOptions) -> None:
    """Raise `InvalidRequestError` for options that functions do not support."""
    if options.keys is not None:
        raise not_distributed("keys", _FROM_HERE)
    if options.sample is not None:
        raise not_distributed("sample", _FROM_HERE)
    if options.pairwise:
        raise not_distributed("pairwise", "functions always compare pairwise")
