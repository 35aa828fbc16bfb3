"""Read the states of keys at all members, consistently."""

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
from operate.reconcile.difference_kinds import KeyFingerprints
from operate.reconcile.fingerprints import fingerprint, key_of
from operate.reconcile.members import MemberConnection


def read_states(
    members: Sequence[MemberConnection],
    keys: Sequence[str],
    done: Callable[[], object] = lambda: None,
) -> list[list[KeyFingerprints]]:
    """Return each key's state at every member. `done` is called after each key.

    After a stop request, the result covers only the first keys.
    """

    async def all_keys(pool: ThreadPoolExecutor) -> list[list[KeyFingerprints]]:
        names = members[0].keys
        stores = [member.open_store(pool) for member in members]

        async def read_key(text: str) -> list[KeyFingerprints]:
            return await _read_members(members, stores, key_of(text, names))

        return await run_in_order(keys, read_key, members[0].stop, CONCURRENCY, done)

    with ThreadPoolExecutor(CONCURRENCY) as pool:
        return asyncio.run(all_keys(pool))


async def _read_members(
    members: Sequence[MemberConnection], stores: Sequence[DynamoStore], key: Key
) -> list[KeyFingerprints]:
    pairs = zip(members, stores, strict=True)
    return await asyncio.gather(*(_read_member(member, store, key) for member, store in pairs))


async def _read_member(member: MemberConnection, store: DynamoStore, key: Key) -> KeyFingerprints:
    item, delete = await asyncio.gather(store.read(key), store.get_tombstone(key))
    is_gone = item is None or will_be_deleted(item, member.ttl_attribute, time.time())
    return KeyFingerprints(
        None if item is None or is_gone else fingerprint(item),
        None if delete is None else fingerprint(delete.item),
    )
