"""What a check has found, mended: key by key, by conditional writes, while all goes on."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from handler.aws.clients import CONCURRENCY
from handler.model.image import Key
from handler.protocol.apply import ContendedError
from handler.store.dynamodb import ItemTooLargeError, Store
from operate.aws.errors import translate_aws_errors
from operate.dry_run import DryStore
from operate.ordered_pool import run_in_order
from operate.progress_counter import ProgressCounter
from operate.reconcile.compare import DifferenceKind
from operate.reconcile.fingerprints import key_of
from operate.reconcile.journal import Journal
from operate.reconcile.members import MemberConnection
from operate.reconcile.repair_key import KeyRepair, RepairTarget, repair_key, repair_targets
from operate.reporting import ProgressCallback, no_progress
from operate.stop import Stop

REPAIRED, LEFT = "mended", "left"
"""What becomes of a key in the journal, once it is done with."""

_SHOWN = 20


@dataclass
class RepairResult:
    """How many keys were mended (or would be), and with how many writes at each member.

    `left` are keys that were left, with the reason; the first of them are in `why`, by the key's
    text.
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
    """Mend the keys in which a check found members to differ; with `dry_run`, only tell.

    `prefer` is the place of the member whose item wins where an item has no version and no record
    of it is to come: see `operate.reconcile.repair_key`. What is done is noted in the journal, so
    that a call with the same one goes on behind it. Raises `OperateError`, of which `StoppedError`
    where the members' stop was asked for: keys under way are finished and noted then.
    """
    total = sum(journal.counts().get(kind, 0) for kind in DifferenceKind)
    repaired, stop = RepairResult(), members[0].stop
    done = ProgressCounter(on_progress, "planning" if dry_run else "mending", total)
    with translate_aws_errors(), ThreadPoolExecutor(CONCURRENCY) as pool:
        for kind in DifferenceKind:
            for chunk in journal.suspects(kind):
                stores = [member.open_store(pool) for member in members]
                keys = [key_of(text, members[0].keys) for _, text, _ in chunk]
                way = _Repairer(members, stores, prefer, dry_run)
                mended = asyncio.run(way.mend_all(keys, stop, done.add))
                begun = chunk[: len(mended)]
                for (_, text, _), one in zip(begun, mended, strict=True):
                    _count(repaired, members, text, one)
                if not dry_run:
                    became = [LEFT if one.skipped_reason else REPAIRED for one in mended]
                    journal.record_outcomes(zip((row for row, _, _ in begun), became, strict=True))
                stop.check()
    return repaired


@dataclass(frozen=True)
class _Repairer:
    """How keys are mended; with `dry_run`, nothing is written."""

    members: Sequence[MemberConnection]
    stores: Sequence[Store]
    prefer: int | None
    dry_run: bool

    async def mend_all(
        self, keys: Sequence[Key], stop: Stop, done: Callable[[], object]
    ) -> list[KeyRepair]:
        """Mend keys, in their order: the first so many, if a stop is asked for."""
        used = [DryStore(store) for store in self.stores] if self.dry_run else self.stores
        ends = repair_targets(self.members, used)
        return await run_in_order(
            keys, lambda key: _mend(ends, key, self.prefer), stop, CONCURRENCY, done
        )


async def _mend(ends: Sequence[RepairTarget], key: Key, prefer: int | None) -> KeyRepair:
    try:
        return await repair_key(ends, key, prefer)
    except (ContendedError, ItemTooLargeError) as error:
        return KeyRepair(skipped_reason=str(error))


def _count(
    repaired: RepairResult, members: Sequence[MemberConnection], text: str, one: KeyRepair
) -> None:
    repaired.writes.update(members[place].name for place in one.repaired)
    if one.skipped_reason is None:
        repaired.repaired += 1
        return
    repaired.skipped += 1
    if len(repaired.skip_reasons) < _SHOWN:
        repaired.skip_reasons[text] = one.skipped_reason
