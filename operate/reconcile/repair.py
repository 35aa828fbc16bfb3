"""Repair the keys that a check has found, by conditional writes, while the ring keeps running."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from botocore.exceptions import ClientError

from handler.aws.clients import CONCURRENCY
from handler.model.image import Key
from handler.protocol.apply import ContendedError
from handler.store.dynamodb import ItemTooLargeError, Store
from operate.aws.errors import item_refusal, translate_aws_errors
from operate.dry_run import DryStore
from operate.ordered_pool import run_in_order
from operate.progress_counter import ProgressCounter
from operate.reconcile.difference_kinds import DifferenceKind
from operate.reconcile.fingerprints import key_of
from operate.reconcile.journal import Journal
from operate.reconcile.members import MemberConnection
from operate.reconcile.repair_key import KeyRepair, RepairTarget, repair_key, repair_targets
from operate.reporting import ProgressCallback, no_progress
from operate.stop import Stop

REPAIRED = "repaired"
"""Verdict on a repaired key in the journal. A resumed repair prints it in its JSON (`kinds`)."""

_MAX_LISTED = 20


@dataclass
class RepairResult:
    """Result of a repair, or of its dry run.

    Attributes:
        repaired: Number of keys repaired.
        skipped: Number of keys left unrepaired.
        writes: Number of writes per member.
        skip_reasons: The reasons for the first skipped keys, by the key's text.
    """

    repaired: int = 0
    skipped: int = 0
    writes: Counter[str] = field(default_factory=Counter)
    skip_reasons: dict[str, str] = field(default_factory=dict)


def repair(
    members: Sequence[MemberConnection],
    journal: Journal,
    *,
    prefer: int | None = None,
    dry_run: bool = False,
    on_progress: ProgressCallback = no_progress,
) -> RepairResult:
    """Repair the keys in which a check found members to differ; with `dry_run`, only report.

    `prefer` is the place of the member whose item wins over others, if an item has no version and
    no pending record: see `repair_key`. Called again with the same journal, resumes with the keys
    that were not repaired.

    Raises:
        StoppedError: The members' `Stop` was requested. Keys in progress were finished and
            recorded.
        OperateError: The repair failed.
    """
    total = sum(journal.counts().get(kind, 0) for kind in DifferenceKind)
    result, stop = RepairResult(), members[0].stop
    progress = ProgressCounter(on_progress, "planning" if dry_run else "repairing", total)
    with translate_aws_errors(), ThreadPoolExecutor(CONCURRENCY) as pool:
        for kind in DifferenceKind:
            for chunk in journal.suspects(kind):
                stores = [member.open_store(pool) for member in members]
                keys = [key_of(text, members[0].keys) for _, text, _ in chunk]
                repairer = _Repairer(members, stores, prefer, dry_run)
                repairs = asyncio.run(repairer.repair_all(keys, stop, progress.add))
                done = chunk[: len(repairs)]
                for (_, text, _), repaired in zip(done, repairs, strict=True):
                    _count(result, members, text, repaired)
                if not dry_run:
                    # A skipped key still differs: a resumed repair tries it again.
                    rows = zip((row for row, _, _ in done), repairs, strict=True)
                    journal.record_verdict(
                        REPAIRED, (row for row, key in rows if key.skipped_reason is None)
                    )
                stop.check()
    return result


@dataclass(frozen=True)
class _Repairer:
    """Repairs batches of keys; with `dry_run`, writes nothing."""

    members: Sequence[MemberConnection]
    stores: Sequence[Store]
    prefer: int | None
    dry_run: bool

    async def repair_all(
        self, keys: Sequence[Key], stop: Stop, done: Callable[[], object]
    ) -> list[KeyRepair]:
        """Repair keys in order. After a stop, the result covers only the first of them."""
        stores = [DryStore(store) for store in self.stores] if self.dry_run else self.stores
        targets = repair_targets(self.members, stores)
        return await run_in_order(
            keys, lambda key: _repair(targets, key, self.prefer), stop, CONCURRENCY, done
        )


async def _repair(targets: Sequence[RepairTarget], key: Key, prefer: int | None) -> KeyRepair:
    try:
        return await repair_key(targets, key, prefer)
    except (ContendedError, ItemTooLargeError) as error:
        return KeyRepair(skipped_reason=str(error))
    except ClientError as error:
        return KeyRepair(skipped_reason=item_refusal(error))


def _count(
    result: RepairResult, members: Sequence[MemberConnection], text: str, repaired: KeyRepair
) -> None:
    result.writes.update(members[place].name for place in repaired.repaired)
    if repaired.skipped_reason is None:
        result.repaired += 1
        return
    result.skipped += 1
    if len(result.skip_reasons) < _MAX_LISTED:
        result.skip_reasons[text] = repaired.skipped_reason
