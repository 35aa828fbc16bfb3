"""Check, repair, backfill and redrive a ring, as functions of the ring.

Each one keeps a checkpoint file, so that a call that was interrupted continues when it is repeated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from operate.errors import InvalidRequestError
from operate.quarantine.catalogue import RedriveList
from operate.quarantine.listing import QuarantinedEntry, RingQuarantine
from operate.quarantine.redrive import RedriveOptions, RedriveResult
from operate.reconcile.backfill import BackfillResult, Route, plan_route
from operate.reconcile.backfill import backfill as backfill_members
from operate.reconcile.check import CheckOptions
from operate.reconcile.check import check as check_members
from operate.reconcile.check_result import CheckResult, findings
from operate.reconcile.connect import connect_members
from operate.reconcile.journal import Journal
from operate.reconcile.members import MemberConnection
from operate.reconcile.repair import RepairResult
from operate.reconcile.repair import repair as repair_members
from operate.reporting import ProgressCallback, no_progress
from operate.rings import DeployedRing
from operate.stop import Stop

CHECKPOINTS = Path(".dynamodb-ring")
"""Default folder of checkpoint files, in the current folder."""
_MAX_DIFFERENCES = 20


@dataclass(frozen=True)
class TableOptions:
    """Options of operations on whole tables."""

    rate: float | None = None
    """Capacity units per second and member, reads and writes together. None: unlimited."""
    journal: Path | None = None
    """Checkpoint file. Default: one in `CHECKPOINTS` for each operation and ring."""
    restart: bool = False
    """Start over instead of resuming."""
    stop: Stop = field(default_factory=Stop)
    """Request to end in order, from another thread."""

    def connect(self, ring: DeployedRing, only: Sequence[str] = ()) -> list[MemberConnection]:
        """Connect to a ring's members. Raises `OperateError`, also for fewer than two."""
        members = connect_members(
            ring.deployed(), ring.clients(), only=tuple(only), rate=self.rate, stop=self.stop
        )
        if len(members) < 2:
            raise InvalidRequestError(
                f"At least two members are needed, and there is {len(members)}."
            )
        return members

    @contextmanager
    def open_journal(self, ring: DeployedRing, operation: str, identity: Any) -> Iterator[Journal]:
        """Open the checkpoint file of an operation on a ring. It is deleted after a success."""
        name = re.sub(r"[^\w.-]", "-", f"{operation}-{ring.label}.sqlite")
        path = self.journal or CHECKPOINTS / name
        with Journal(path, identity, restart=self.restart) as journal:
            yield journal
            journal.remove()


_DEFAULT = TableOptions()


@dataclass(frozen=True)
class CheckReport:
    """Result of a check: the counts, the first differences as documents, and the cost.

    Each difference has the keys `key`, `kind` and `members`, as a line of `check --report`.
    """

    result: CheckResult
    differences: Sequence[Mapping[str, Any]]
    capacity_units: float

    @property
    def in_sync(self) -> bool:
        """Whether no key differs."""
        return not self.result.differing


@dataclass(frozen=True)
class RepairReport:
    """Result of a repair: the check before it, and what was repaired."""

    check: CheckReport
    repair: RepairResult


def check(
    ring: DeployedRing,
    options: CheckOptions | None = None,
    *,
    only: Sequence[str] = (),
    table_options: TableOptions = _DEFAULT,
    on_progress: ProgressCallback = no_progress,
) -> CheckReport:
    """Compare all members of a ring, or `only` those named. Changes nothing.

    Raises `OperateError`.
    """
    options = options or CheckOptions()
    members = table_options.connect(ring, only)
    identity = comparison_identity(members, options)
    with table_options.open_journal(ring, "check", identity) as journal:
        return _check(members, journal, options, on_progress)


def repair(  # noqa: PLR0913 - keywords, each with a default
    ring: DeployedRing,
    options: CheckOptions | None = None,
    *,
    prefer: str | None = None,
    dry_run: bool = False,
    only: Sequence[str] = (),
    table_options: TableOptions = _DEFAULT,
    on_progress: ProgressCallback = no_progress,
) -> RepairReport:
    """Check a ring, and copy the newest version of each key that differs to all members.

    `prefer` names the member whose items win where no version decides. With `dry_run`, nothing is
    written. Raises `OperateError`.
    """
    options = options or CheckOptions()
    members = table_options.connect(ring, only)
    preferred = None if prefer is None else member_index(members, prefer)
    identity = comparison_identity(members, options)
    with table_options.open_journal(ring, "repair", identity) as journal:
        report = _check(members, journal, options, on_progress)
        result = repair_members(
            members, journal, prefer=preferred, dry_run=dry_run, on_progress=on_progress
        )
        return RepairReport(report, result)


def backfill(  # noqa: PLR0913 - keywords, each with a default
    ring: DeployedRing,
    into: Sequence[str] = (),
    *,
    source: str | None = None,
    segments: int = 4,
    table_options: TableOptions = _DEFAULT,
    on_progress: ProgressCallback = no_progress,
) -> BackfillResult:
    """Copy missing items into members: those named, or every one from its predecessor.

    `source` names the member to copy from. Default: the one whose hop leads to the target.
    `segments` are the parallel scan segments per table. Raises `OperateError`.
    """
    members = table_options.connect(ring)
    names = into or [member.name for member in members]
    routes = [plan_route(members, name, source) for name in names]
    identity = backfill_identity(members, routes, segments)
    with table_options.open_journal(ring, "backfill", identity) as journal:
        return backfill_members(
            members, routes, journal, segments=segments, on_progress=on_progress
        )


def quarantined(ring: DeployedRing, ids: Sequence[str] | None = None) -> RedriveList:
    """List quarantined records: all of a ring, or those with the given IDs that exist.

    Iterating over the list yields a document for each. Raises `OperateError`.
    """
    quarantine = RingQuarantine(ring.deployed(), ring.clients())
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


def member_index(members: Sequence[MemberConnection], name: str) -> int:
    """Return a member's index. Raises `InvalidRequestError` if there is none of that name."""
    names = [member.name for member in members]
    if name not in names:
        raise InvalidRequestError(f"There is no member {name}. There are: {', '.join(names)}.")
    return names.index(name)


def comparison_identity(
    members: Sequence[MemberConnection], options: CheckOptions, *, is_local: bool = True
) -> list[Any]:
    """Return what a checkpoint belongs to: only the same comparison may resume from it."""
    parts = [options.keys, options.sample, options.segments, options.pairwise, options.tombstones]
    return [_tables(members), *parts, is_local]


def backfill_identity(
    members: Sequence[MemberConnection],
    routes: Sequence[Route],
    segments: int,
    *,
    is_local: bool = True,
) -> list[Any]:
    """Return what a checkpoint belongs to: only the same backfill may resume from it."""
    paths = [(route.source, route.target) for route in routes]
    return [_tables(members), paths, segments, is_local]


def _check(
    members: Sequence[MemberConnection],
    journal: Journal,
    options: CheckOptions,
    on_progress: ProgressCallback,
) -> CheckReport:
    result = check_members(members, journal, options, on_progress)
    documents = (finding.document(members) for finding in findings(journal))
    units = sum(member.rate_limiter.spent for member in members)
    return CheckReport(result, list(islice(documents, _MAX_DIFFERENCES)), units)


def _tables(members: Sequence[MemberConnection]) -> list[tuple[str, str]]:
    return [(member.name, member.tables.table) for member in members]
