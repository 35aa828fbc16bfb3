"""Options of operations on whole tables, and how such an operation reaches its ring."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from operate.distributed.executions import SegmentRunner
from operate.errors import InvalidRequestError
from operate.reconcile.connect import connect_members
from operate.reconcile.journal import Journal
from operate.reconcile.journal_values import RowShape
from operate.reconcile.members import MemberConnection
from operate.reconcile.parallel_scan import DEFAULT_SEGMENTS
from operate.rings import DeployedRing, command_for
from operate.stop import Stop

CHECKPOINTS = Path(".dynamodb-ring")
"""Default folder of checkpoint files, in the current folder."""
DISTRIBUTED_SEGMENTS = 100
"""Default number of segments per table in Lambda functions on AWS."""


def ignore_note(note: str) -> None:
    """Ignore a note."""


@dataclass(frozen=True)
class TableOptions:
    """Options of operations on whole tables."""

    rate: float | None = None
    """Capacity units per second and member, reads and writes together. None: unlimited."""
    journal: Path | None = None
    """Checkpoint file. Default: one in `CHECKPOINTS` for each operation and ring."""
    restart: bool = False
    """Start over instead of resuming."""
    distributed: bool = False
    """Process the segments in Lambda functions. Requires the setting `distributed.enabled`."""
    stop: Stop = field(default_factory=Stop)
    """Request to end in order, from another thread."""

    on_note: Callable[[str], object] = ignore_note
    """Called with a sentence that a person should read: which members are left out."""

    def connect(
        self, ring: DeployedRing, only: Sequence[str] = (), also: Collection[str] = ()
    ) -> list[MemberConnection]:
        """Connect to a ring's members, or `only` to those named.

        Bypassed members are left out, since their regions may be down, but for those named in
        `only` or `also`. Raises `OperateError`, also for fewer than two.
        """
        deployed = ring.deployed()
        left_out = [] if only else sorted({*deployed.held} - {*also})
        if left_out:
            self.on_note(f"{ring.label}: bypassed members are left out: {', '.join(left_out)}.")
            names = [member.name for member in deployed.members]
            only = [name for name in names if name not in left_out]
        members = connect_members(
            deployed,
            ring.clients(),
            only=only,
            rate=self.rate,
            stop=self.stop,
            command=command_for(ring),
        )
        if len(members) < 2:
            raise InvalidRequestError(
                f"At least two members are needed, and there is {len(members)}."
            )
        return members

    def runner(self, ring: DeployedRing) -> SegmentRunner | None:
        """Return the runner of a ring's segments; None: this machine.

        Raises `InvalidRequestError` if the ring has none.
        """
        if not self.distributed:
            return None
        if self.rate is not None:
            raise not_distributed(
                "rate",
                "functions do not share a rate; `distributed.at_once` limits how many run at a "
                "time",
            )
        return SegmentRunner.of(ring.deployed(), ring.clients(), self.stop)

    def segment_count(self, ring: DeployedRing, segments: int | None) -> int:
        """Return the number of segments per table: `segments`, or the default of the ring.

        Functions of a local ring share its cores: more segments take longer.
        """
        on_aws = self.distributed and not ring.is_local
        return segments or (DISTRIBUTED_SEGMENTS if on_aws else DEFAULT_SEGMENTS)

    @contextmanager
    def open_journal(
        self,
        ring: DeployedRing,
        operation: str,
        identity: Any,
        shape: RowShape,
    ) -> Iterator[Journal]:
        """Open the checkpoint file of an operation on a ring. It is deleted after a success."""
        name = re.sub(r"[^\w.-]", "-", f"{operation}-{ring.label}.sqlite")
        path = self.journal or CHECKPOINTS / name
        with Journal(path, identity, restart=self.restart, shape=shape) as journal:
            yield journal
            journal.remove()


DEFAULT_OPTIONS = TableOptions()


def not_distributed(option: str, instead: str) -> InvalidRequestError:
    """Return the error for an option that functions do not support."""
    return InvalidRequestError(f"--{option} cannot be used with --distributed: {instead}.")
