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
from operate.ordered_pool import in_turn
from operate.reconcile.compare import Held
from operate.reconcile.fingerprints import key_of, mark_of
from operate.reconcile.members import Reached


def look(
    members: Sequence[Reached], keys: Sequence[str], done: Callable[[], object] = lambda: None
) -> list[list[Held]]:
    """What every member holds of each key; of the first so many, if their stop is asked for.

    `done` is called after each.
    """

    async def all_keys(pool: ThreadPoolExecutor) -> list[list[Held]]:
        names = members[0].keys
        stores = [member.store(pool) for member in members]

        async def one(text: str) -> list[Held]:
            return await _look(members, stores, key_of(text, names))

        return await in_turn(keys, one, members[0].stop, CONCURRENCY, done)

    with ThreadPoolExecutor(CONCURRENCY) as pool:
        return asyncio.run(all_keys(pool))


async def _look(members: Sequence[Reached], stores: Sequence[DynamoStore], key: Key) -> list[Held]:
    pairs = zip(members, stores, strict=True)
    return await asyncio.gather(*(_held(member, store, key) for member, store in pairs))


async def _held(member: Reached, store: DynamoStore, key: Key) -> Held:
    item, buried = await asyncio.gather(store.read(key), store.get_tombstone(key))
    gone = item is None or will_be_deleted(item, member.expires, time.time())
    return Held(
        None if item is None or gone else mark_of(item),
        None if buried is None else mark_of(buried.item),
    )
