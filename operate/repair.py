"""What a check has found, mended: key by key, by conditional writes, while all goes on."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from handler.carry import ContendedError
from handler.clients import CONCURRENCY
from handler.decide import Replica
from handler.image import Key
from handler.store import ItemTooLargeError, Store
from operate.asking import asking
from operate.check import Tell, silently
from operate.dry import DryStore
from operate.errors import WrongError
from operate.journal import Journal
from operate.judge import Kind
from operate.mend import End, Mended, mend
from operate.reached import Reached
from operate.segments import key_of

MENDED, LEFT = "mended", "left"
"""What becomes of a key in the journal, once it is done with."""

_SHOWN = 20


@dataclass
class Repaired:
    """How many keys were mended (or would be), and with how many writes at each member.

    `left` are keys that were left, with the reason; the first of them are in `why`, by the key's
    text.
    """

    mended: int = 0
    left: int = 0
    writes: Counter[str] = field(default_factory=Counter)
    why: dict[str, str] = field(default_factory=dict)


def ends_of(members: Sequence[Reached], stores: Sequence[Store]) -> list[End]:
    """The members, as one key is mended at them. Raises `WrongError` where no hop starts."""
    for member in members:
        if member.replica is None:
            raise WrongError(
                f"{member.name} has no id in versions, since no hop of this stack starts there. "
                "Use the stack that deploys its hop, or leave it out by --member."
            )
    return [
        End(
            Replica(member.replica or "", member.region, member.tables.table),
            store,
            keeps_tombstones=member.tables.tombstones is not None,
        )
        for member, store in zip(members, stores, strict=True)
    ]


def repair(
    members: Sequence[Reached],
    journal: Journal,
    *,
    prefer: int | None = None,
    dry_run: bool = False,
    tell: Tell = silently,
) -> Repaired:
    """Mend the keys in which a check found members to differ; with `dry_run`, only tell.

    `prefer` is the place of the member whose item wins where an item has no version and no record
    of it is to come: see `operate.mend`. What is done is noted in the journal, so that a call with
    the same one goes on behind it. Raises `OperateError`.
    """
    total = sum(journal.counts().get(kind, 0) for kind in Kind)
    repaired = Repaired()
    with asking(), ThreadPoolExecutor(CONCURRENCY) as pool:
        for kind in Kind:
            for chunk in journal.suspects(kind):
                stores = [member.store(pool) for member in members]
                keys = [key_of(text, members[0].keys) for _, text, _ in chunk]
                mended = asyncio.run(_mend_all(members, stores, keys, prefer, dry_run))
                for (_, text, _), one in zip(chunk, mended, strict=True):
                    _count(repaired, members, text, one)
                if not dry_run:
                    became = [LEFT if one.left else MENDED for one in mended]
                    journal.settle(zip((row for row, _, _ in chunk), became, strict=True))
                tell("planning" if dry_run else "mending", repaired.mended + repaired.left, total)
    return repaired


async def _mend_all(
    members: Sequence[Reached],
    stores: Sequence[Store],
    keys: Sequence[Key],
    prefer: int | None,
    dry_run: bool,
) -> list[Mended]:
    used = [DryStore(store) for store in stores] if dry_run else stores
    ends = ends_of(members, used)
    return await asyncio.gather(*(_mend(ends, key, prefer) for key in keys))


async def _mend(ends: Sequence[End], key: Key, prefer: int | None) -> Mended:
    try:
        return await mend(ends, key, prefer)
    except (ContendedError, ItemTooLargeError) as error:
        return Mended(left=str(error))


def _count(repaired: Repaired, members: Sequence[Reached], text: str, one: Mended) -> None:
    repaired.writes.update(members[place].name for place in one.brought)
    if one.left is None:
        repaired.mended += 1
        return
    repaired.left += 1
    if len(repaired.why) < _SHOWN:
        repaired.why[text] = one.left
