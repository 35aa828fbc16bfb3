"""A member as it is reached: its tables, and a client for them."""

from __future__ import annotations

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
    """A member. `replica` is its id in versions, `next` the ids of those to whom its hops lead.

    `keys` are the key's attributes, the partition key first, `types` their types, `expires` is the
    attribute by which DynamoDB expires its items (`handler.model.expiry.ttl_attribute`), `items` is
    about how many items there are.
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

    @property
    def stop(self) -> Stop:
        """What asks all that is done with it to end in order: all that were reached together."""
        return self.rate_limiter.stop

    def open_store(self, pool: Executor) -> DynamoStore:
        """The member as the protocol sees it; calls run in `pool`."""
        return DynamoStore(BotocoreApi(self.client, pool), self.tables)
