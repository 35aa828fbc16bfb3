"""Connection to a member: its tables, and a client for them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handler.aws.api import BotocoreApi
from handler.store.dynamodb import DynamoStore, MemberTables
from operate.reconcile.rate_limit import RateLimiter
from operate.stop import Stop

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True)
class MemberConnection:
    """A member of a ring, its tables and a client for them.

    Attributes:
        replica: The member's ID in versions; None: no hop starts there.
        next_replicas: The IDs of the members that its hops lead to.
        keys: The key's attributes, partition key first.
        types: The types of these attributes.
        ttl_attribute: The table's TTL attribute (`handler.model.expiry.ttl_attribute`).
        item_count: The approximate number of items.
        tombstone_count: The approximate number of tombstones.
        table_identity: The table's ARN and when it was created, which no other table has; empty in
            a function, which keeps nothing.
    """

    name: str
    region: str
    replica: str | None
    next_replicas: tuple[str, ...]
    client: DynamoDBClient
    tables: MemberTables
    keys: tuple[str, ...]
    types: tuple[str, ...]
    ttl_attribute: str | None
    item_count: int
    tombstone_count: int
    rate_limiter: RateLimiter
    table_identity: str = ""

    @property
    def stop(self) -> Stop:
        """The stop request shared by all members connected together."""
        return self.rate_limiter.stop

    def open_store(self, pool: Executor) -> DynamoStore:
        """Return the member's tables as a store of the protocol; calls run in `pool`."""
        return DynamoStore(BotocoreApi(self.client, pool), self.tables)


def table_identities(members: Sequence[MemberConnection]) -> list[tuple[str, str]]:
    """Return the members' names and tables: part of what a checkpoint belongs to.

    Tables of the same names may be of another account, or created since.
    """
    return [(member.name, member.table_identity) for member in members]
