"""The sections of a stack's settings, each a frozen model that checks its own values.

What one value must be is said in `values`; what several values must be to each other, in `rules`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt

from ring.settings.types import (
    Account,
    AttributeName,
    Capacity,
    ExternalId,
    IndexName,
    KeyArn,
    LogRetention,
    MemberName,
    MemberState,
    Profile,
    ProjectedName,
    Region,
    RoleArn,
    SecretArn,
    StreamArn,
    TableName,
)


class SettingsModel(BaseModel):
    """A part of the settings: cannot be changed, and knows no setting but its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Key(SettingsModel):
    """A key attribute: text (S), number (N) or binary (B)."""

    name: AttributeName
    type: Literal["S", "N", "B"]


Projected = Annotated[tuple[ProjectedName, ...], Field(max_length=20)]
"""https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Projection.html"""


class GlobalIndex(SettingsModel):
    """A global secondary index."""

    name: IndexName
    partition_key: Key
    sort_key: Key | None = None
    projection: Literal["ALL", "KEYS_ONLY", "INCLUDE"] = "ALL"
    attributes: Projected = ()
    """The attributes that an INCLUDE projection adds to the keys."""


class LocalIndex(SettingsModel):
    """A local secondary index: the table's partition key, with another sort key."""

    name: IndexName
    sort_key: Key
    projection: Literal["ALL", "KEYS_ONLY", "INCLUDE"] = "ALL"
    attributes: Projected = ()
    """The attributes that an INCLUDE projection adds to the keys."""


class TtlSettings(SettingsModel):
    """Attribute with an item's expiry time (seconds since 1970), and what an expiry means."""

    attribute: AttributeName
    enabled: StrictBool = True
    """False switches it off. Left out, the section leaves TTL as it is at each table, and DynamoDB
    asks for the attribute to switch it off: so off is said, with the attribute."""
    expiry: Literal["own", "delete"] = "own"
    """own: each member expires its own copy; delete: one member's expiry is deleted everywhere."""


class BillingSettings(SettingsModel):
    """How DynamoDB bills; read and write are capacity units, of the table and each global index."""

    mode: Literal["PAY_PER_REQUEST", "PROVISIONED"] = "PAY_PER_REQUEST"
    read: Capacity | None = None
    write: Capacity | None = None


class TableSettings(SettingsModel):
    """The table as every member has it."""

    name: TableName
    partition_key: Key
    sort_key: Key | None = None
    # 20 and 5: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
    global_indexes: Annotated[tuple[GlobalIndex, ...], Field(max_length=20)] = ()
    local_indexes: Annotated[tuple[LocalIndex, ...], Field(max_length=5)] = ()
    ttl: TtlSettings | None = None
    billing: BillingSettings = BillingSettings()
    point_in_time_recovery: StrictBool = True
    deletion_protection: StrictBool = True
    """Whether the table outlives the stack: Pulumi lets go of it instead of deleting it, and
    DynamoDB refuses to delete it."""

    def all_keys(self) -> Iterator[tuple[str, Key]]:
        """Every key of the table and its indexes, each with the place where it is set."""
        yield "table.partition_key", self.partition_key
        if self.sort_key:
            yield "table.sort_key", self.sort_key
        for at, wide in enumerate(self.global_indexes):
            yield f"table.global_indexes[{at}].partition_key", wide.partition_key
            if wide.sort_key:
                yield f"table.global_indexes[{at}].sort_key", wide.sort_key
        for at, local in enumerate(self.local_indexes):
            yield f"table.local_indexes[{at}].sort_key", local.sort_key


class SecretSettings(SettingsModel):
    """A secret of Secrets Manager, and the key that encrypts it, if that is not AWS's own."""

    arn: SecretArn
    kms_key: KeyArn | None = None


class MemberSettings(SettingsModel):
    """One member of the ring: a table in a region, and how to reach it."""

    region: Region
    table: TableName | None = None
    """Its table's name, where it differs from the ring's."""
    name: MemberName | None = None
    """Its label in the ring. Default: the region, with the table's name if that is its own."""
    account: Account | None = None
    """The account it must lie in: nothing is deployed to another one. It also distinguishes members
    alike in region and table, so it is part of the replica id: decide on it before the first
    deployment."""
    stream_arn: StreamArn | None = None
    """Adopts the existing table that has this stream, instead of creating one. The stream must
    contain new and old images."""
    profile: Profile | None = None
    """The profile of the AWS configuration that it is deployed with."""
    role: RoleArn | None = None
    """The role that its deployment assumes."""
    external_id: ExternalId | None = None
    """What the role's trust policy asks for."""
    kms_key: KeyArn | None = None
    """The key that encrypts it. Default: a key that DynamoDB owns."""
    writer_secret: SecretSettings | None = None
    """The secret with the keys that a hop from another partition writes to it with. It lies in
    that partition. What it holds: docs/decisions/0005-other-partitions.md"""
    state: MemberState = "in"
    """Whether the ring leads through it."""
    paused: StrictBool = False
    """Whether its hops rest. What is written there waits in its stream, for `mapping.record_age`
    at most."""


class TombstoneSettings(SettingsModel):
    """Whether the ring remembers deletes, and for how many days."""

    enabled: StrictBool = True
    retention_days: Annotated[StrictInt, Field(ge=1)] = 7


class MappingSettings(SettingsModel):
    """How Lambda reads a member's stream.

    Limits: https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html
    """

    batch_size: Annotated[StrictInt, Field(ge=1, le=10_000)] = 500
    """Records. Even 500 deletes, some five calls across an ocean each, end well within the
    function's 60 seconds when their keys are worked on side by side; a batch is only this large
    when the stream has backed up."""
    batching_window: Annotated[StrictInt, Field(ge=0, le=300)] = 0
    """Seconds to wait for a fuller batch: fewer calls, more lag. (The API reference asks for 1
    when batch_size exceeds 10; Lambda holds queues to that and streams not, whose own default is
    100 records and 0 seconds.)"""
    parallelization_factor: Annotated[StrictInt, Field(ge=1, le=10)] = 1
    """Batches of one shard worked on at a time; the order of each key is kept."""
    starting_position: Literal["TRIM_HORIZON", "LATEST"] = "TRIM_HORIZON"
    """LATEST can miss what is written while the mapping is created."""
    retries: Annotated[StrictInt, Field(ge=-1, le=10_000)] = -1
    """How often a failing batch is tried again; -1: until record_age ends it."""
    record_age: Annotated[StrictInt, Field(ge=60, le=86_400)] = 82_800
    """Seconds after which a record is given up. 23 hours, because the stream drops a record after
    24: given up before that, it reaches the quarantine whole."""


class HeartbeatSettings(SettingsModel):
    """Whether each member writes an item of the ring's own every so many minutes.

    A minute is the least that EventBridge can do:
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
    """

    enabled: StrictBool = False
    every: Annotated[StrictInt, Field(ge=1, le=1440)] = 1


class FunctionSettings(SettingsModel):
    """The function of a hop. memory in MB, timeout in seconds.

    Limits: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    """

    memory: Annotated[StrictInt, Field(ge=128, le=10_240)] = 512
    timeout: Annotated[StrictInt, Field(ge=1, le=900)] = 60
    log_retention_days: LogRetention = 30
    log_items: StrictBool = False
    """Whether the log line of a conflict has its two items, besides key, versions and origins. They
    are then in the log group, for all who may read it."""
    http: Literal["own", "boto3"] = "own"
    """Whose HTTP client calls DynamoDB: the hop's own, or the SDK's, which takes three to four
    times the processor time for an update (docs/performance.md)."""
    runtime_updates: Literal["auto", "function_update"] = "auto"
    """When Lambda updates the runtime: at any time, or when the function is updated."""
