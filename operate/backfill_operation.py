"""A backfill of a ring's members, on this machine or in functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from operate.deployed import member_index
from operate.distributed.executions import Execution
from operate.distributed.jobs import backfill_distributed, backfill_job, expect_writes
from operate.errors import InvalidRequestError
from operate.reconcile.backfill import BackfillResult, Route, backfill
from operate.reconcile.journal import Journal
from operate.reconcile.journal_values import RowShape
from operate.reconcile.members import MemberConnection, table_identities
from operate.reporting import ProgressCallback, no_progress
from operate.rings import DeployedRing
from operate.table_options import DEFAULT_OPTIONS, TableOptions


class BackfillOperation:
    """A backfill of a ring: validated and connected, nothing written yet.

    `into` names the members to fill; empty: every one, from its predecessor. `source` names the
    member to copy from; None: the one whose hop leads to the target.

    Raises:
        OperateError: A member cannot be reached or filled, or functions may not write.
    """

    def __init__(
        self,
        ring: DeployedRing,
        into: Sequence[str] = (),
        source: str | None = None,
        segments: int | None = None,
        table_options: TableOptions = DEFAULT_OPTIONS,
    ) -> None:
        self._ring, self._table_options = ring, table_options
        self._runner = table_options.runner(ring)
        if self._runner:
            expect_writes(self._runner)
        self.members = table_options.connect(ring, also=[*into, *filter(None, [source])])
        names = into or [member.name for member in self.members]
        self.routes = [plan_route(self.members, name, source) for name in names]
        self._segments = table_options.segment_count(ring, segments)
        self._jobs = [backfill_job(self.members, route, self._segments) for route in self.routes]

    @property
    def _identity(self) -> list[Any]:
        """What a checkpoint belongs to: only the same backfill may resume from it."""
        paths = [(route.source, route.target) for route in self.routes]
        return [table_identities(self.members), paths, self._segments, self._runner is None]

    @contextmanager
    def open(self) -> Iterator[Journal]:
        """Open the checkpoint file. It is deleted after a success."""
        shape = RowShape(len(self.members[0].keys), members=0)
        opening = self._table_options.open_journal(self._ring, "backfill", self._identity, shape)
        with opening as journal:
            yield journal

    def executions(self) -> list[Execution] | None:
        """Return the executions that `run` will resume; None: it runs on this machine."""
        if self._runner is None:
            return None
        jobs = () if self._table_options.restart else self._jobs
        return [found for job in jobs if (found := self._runner.find_open(job))]

    def run(self, journal: Journal, on_progress: ProgressCallback = no_progress) -> BackfillResult:
        """Copy the missing items."""
        if self._runner is None:
            return backfill(
                self.members,
                self.routes,
                journal,
                segments=self._segments,
                on_progress=on_progress,
            )
        restart = self._table_options.restart
        return backfill_distributed(
            self._runner, self._jobs, journal, restart=restart, on_progress=on_progress
        )


def plan_route(members: Sequence[MemberConnection], into: str, source: str | None = None) -> Route:
    """Return the route to a member from `source`, or from the source of a hop that leads to it.

    Raises:
        InvalidRequestError: A member is unknown, is its own source, or no hop leads to it.
    """
    names = [member.name for member in members]
    target = member_index(names, into)
    if source is not None:
        if source == into:
            raise InvalidRequestError(f"{into} cannot be filled from itself.")
        return Route(member_index(names, source), target)
    replica = members[target].replica
    previous = [place for place, at in enumerate(members) if replica in at.next_replicas]
    if not previous:
        raise InvalidRequestError(
            f"No hop leads to {into}: name the member to fill it from (--from)."
        )
    return Route(previous[0], target)
