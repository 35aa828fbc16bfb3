"""What members hold of some keys, read consistently."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from handler.aws.clients import CONCURRENCY
from handler.model.expiry import will_be_deleted
from handler.model.image import Key
from handler.store.dynamodb import DynamoStore
from operate.ordered_pool import run_in_order
from operate.reconcile.compare import MemberState
from operate.reconcile.fingerprints import fingerprint, key_of
from operate.reconcile.members import MemberConnection


def read_states(
    members: Sequence[MemberConnection],
    keys: Sequence[str],
    done: Callable[[], object] = lambda: None,
) -> list[list[MemberState]]:
    """What every member holds of each key; of the first so many, if their stop is asked for.

    `done` is called after each.
    """

    async def all_keys(pool: ThreadPoolExecutor) -> list[list[MemberState]]:
        names = members[0].keys
        stores = [member.open_store(pool) for member in members]

        async def one(text: str) -> list[MemberState]:
            return await _look(members, stores, key_of(text, names))

        return await run_in_order(keys, one, members[0].stop, CONCURRENCY, done)

    with ThreadPoolExecutor(CONCURRENCY) as pool:
        return asyncio.run(all_keys(pool))


async def _look(
    members: Sequence[MemberConnection], stores: Sequence[DynamoStore], key: Key
) -> list[MemberState]:
    pairs = zip(members, stores, strict=True)
    return await asyncio.gather(*(_held(member, store, key) for member, store in pairs))


async def _held(member: MemberConnection, store: DynamoStore, key: Key) -> MemberState:
    item, buried = await asyncio.gather(store.read(key), store.get_tombstone(key))
    gone = item is None or will_be_deleted(item, member.ttl_attribute, time.time())
    return MemberState(
        None if item is None or gone else fingerprint(item),
        None if buried is None else fingerprint(buried.item),
    )
