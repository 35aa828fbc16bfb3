"""Sections of a stack's settings: frozen models that validate their own values.

Types of single values are in `types`, rules between values in `rules`.
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
    """Base of all sections: immutable, and unknown settings are errors.

    The text below a field is its description in the schema and in docs/reference/settings.md.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Key(SettingsModel):
    """A key attribute: text (S), number (N) or binary (B)."""

    name: AttributeName
    """The attribute's name. It cannot begin with `_repl_`, nor be `ring_heartbeat` with heartbeats
    on."""
    type: Literal["S", "N", "B"]
    """Text (S), number (N) or binary (B)."""


Projected = Annotated[tuple[ProjectedName, ...], Field(max_length=20)]
"""https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Projection.html"""


class GlobalIndex(SettingsModel):
    """A global secondary index."""

    name: IndexName
    """The index's name."""
    partition_key: Key
    """Its partition key."""
    sort_key: Key | None = None
    """Its sort key, if it has one."""
    projection: Literal["ALL", "KEYS_ONLY", "INCLUDE"] = "ALL"
    """What the index holds of an item: all, its keys, or its keys and `attributes`."""
    attributes: Projected = ()
    """The attributes that an INCLUDE projection adds to the keys: at most 20, and 100 in all
    indexes of the table."""


class LocalIndex(SettingsModel):
    """A local secondary index: the table's partition key, with another sort key."""

    name: IndexName
    """The index's name."""
    sort_key: Key
    """Its sort key."""
    projection: Literal["ALL", "KEYS_ONLY", "INCLUDE"] = "ALL"
    """What the index holds of an item: all, its keys, or its keys and `attributes`."""
    attributes: Projected = ()
    """The attributes that an INCLUDE projection adds to the keys: at most 20, and 100 in all
    indexes of the table."""


class TtlSettings(SettingsModel):
    """The attribute with an item's expiry (seconds since 1970), and how the ring treats it."""

    attribute: AttributeName
    """The attribute with the expiry, in seconds since 1970."""
    enabled: StrictBool = True
    """False switches TTL off. DynamoDB needs the attribute for that, too; without the section, the
    TTL of each table stays as it is."""
    expiry: Literal["own", "delete"] = "own"
    """own: each member expires its own copy; delete: one member's expiry is deleted everywhere."""


class BillingSettings(SettingsModel):
    """Billing mode; read and write are capacity units of the table and of each global index."""

    mode: Literal["PAY_PER_REQUEST", "PROVISIONED"] = "PAY_PER_REQUEST"
    """On demand, or with provisioned capacity."""
    read: Capacity | None = None
    """Read capacity units; required by PROVISIONED."""
    write: Capacity | None = None
    """Write capacity units; required by PROVISIONED."""


class TableSettings(SettingsModel):
    """The table as every member has it."""

    name: TableName
    """The table's name at every member that has no `table` of its own."""
    partition_key: Key
    """Its partition key, such as `{name: customer, type: S}`. Keys cannot be changed later."""
    sort_key: Key | None = None
    """Its sort key, if it has one."""
    # 20 and 5: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
    global_indexes: Annotated[tuple[GlobalIndex, ...], Field(max_length=20)] = ()
    local_indexes: Annotated[tuple[LocalIndex, ...], Field(max_length=5)] = ()
    ttl: TtlSettings | None = None
    billing: BillingSettings = BillingSettings()
    point_in_time_recovery: StrictBool = True
    """Continuous backups of the tables that the ring creates."""
    deletion_protection: StrictBool = True
    """True keeps the table when the stack is destroyed: Pulumi only removes it from its state, and
    DynamoDB rejects deleting it."""

    @property
    def key_attributes(self) -> tuple[Key, ...]:
        """The table's partition key and, if it has one, its sort key."""
        return (self.partition_key, self.sort_key) if self.sort_key else (self.partition_key,)

    def all_keys(self) -> Iterator[tuple[str, Key]]:
        """Yield every key of the table and its indexes, with its path in the settings."""
        yield "table.partition_key", self.partition_key
        if self.sort_key:
            yield "table.sort_key", self.sort_key
        for number, global_index in enumerate(self.global_indexes):
            path = f"table.global_indexes[{number}]"
            yield f"{path}.partition_key", global_index.partition_key
            if global_index.sort_key:
                yield f"{path}.sort_key", global_index.sort_key
        for number, local_index in enumerate(self.local_indexes):
            yield f"table.local_indexes[{number}].sort_key", local_index.sort_key


class SecretSettings(SettingsModel):
    """A secret in Secrets Manager, and its KMS key unless that is AWS-managed."""

    arn: SecretArn
    """The secret's full ARN, with the six characters that AWS adds."""
    kms_key: KeyArn | None = None
    """The KMS key that encrypts the secret. Default: the AWS-managed key."""


class MemberSettings(SettingsModel):
    """One member of the ring: a table in a region, and the credentials for it."""

    region: Region
    """Its AWS region. One that boto3 does not know is refused: install a newer boto3 for it."""
    table: TableName | None = None
    """Its table's name. Default: `table.name`."""
    name: MemberName | None = None
    """Its name in the ring. Default: the region, followed by `table` if that is set."""
    account: Account | None = None
    """The account it must be in: nothing is deployed to another one. It is part of the replica ID,
    to distinguish members of the same region and table, so set it before the first deployment."""
    stream_arn: StreamArn | None = None
    """Adopts the existing table with this stream instead of creating one. The stream must be the
    table's latest, enabled, with new and old images, and the table must have the ring's keys."""
    profile: Profile | None = None
    """The profile of the AWS configuration for its deployment."""
    role: RoleArn | None = None
    """The role to assume for its deployment."""
    external_id: ExternalId | None = None
    """The external ID that the role's trust policy requires."""
    kms_key: KeyArn | None = None
    """The KMS key, in its region, for everything that holds its data: tables, quarantine, results,
    logs, topic. Its policy must allow AWS's services first: docs/how-to/encryption-keys.md.
    Default: keys of AWS."""
    writer_secret: SecretSettings | None = None
    """The secret with the access keys for a hop from another partition. It is in that partition.
    Its contents: docs/decisions/0005-other-partitions.md"""
    state: MemberState = "in"
    """in: a regular member. bypassed: it receives no writes, and its predecessor replicates to its
    successor. rejoining: it catches up. `automate.py bypass` and `rejoin` set it."""
    paused: StrictBool = False
    """True pauses the hops that start at it. Its writes wait in the stream, for at most
    `mapping.record_age`."""


class TombstoneSettings(SettingsModel):
    """Whether deletes leave tombstones, and for how many days."""

    enabled: StrictBool = True
    """False makes deletes cheaper. It is safe only where deleted keys are never inserted again."""
    # A hundred years: Python has no period of a billion days, and DynamoDB no number of 40 digits.
    retention_days: Annotated[StrictInt, Field(ge=1, le=36_500)] = 7
    """Days: at least one per member, so that a tombstone outlives every write that is delayed."""


class MappingSettings(SettingsModel):
    """Lambda's event source mapping of a member's stream.

    Limits: https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html
    """

    batch_size: Annotated[StrictInt, Field(ge=1, le=10_000)] = 500
    """Records. Even 500 deletes, with some five calls across an ocean each, end well within the
    function's 60 seconds, since keys are processed concurrently. A batch is only this large after
    a backlog."""
    batching_window: Annotated[StrictInt, Field(ge=0, le=300)] = 0
    """Seconds to wait for a fuller batch: fewer invocations, more lag. (The API reference requires
    1 for a batch_size above 10, but Lambda enforces that for queues only; the default for streams
    is 100 records and 0 seconds.)"""
    parallelization_factor: Annotated[StrictInt, Field(ge=1, le=10)] = 1
    """Concurrent batches per shard; changes of one key stay in order."""
    starting_position: Literal["TRIM_HORIZON", "LATEST"] = "TRIM_HORIZON"
    """Where a new hop starts to read. LATEST can miss writes made while the mapping is created. A
    change applies to hops created later."""
    retries: Annotated[StrictInt, Field(ge=-1, le=10_000)] = -1
    """Retries of a failing batch; -1: until `record_age`. Hops that start in aws-cn or aws-us-gov
    have neither limit: Lambda cannot write to the quarantine there
    (docs/how-to/other-partitions.md)."""
    record_age: Annotated[StrictInt, Field(ge=60, le=86_400)] = 82_800
    """Seconds after which a record goes to the quarantine. 23 hours, because the stream drops a
    record after 24, and the quarantine needs its data. At least `batching_window` and twice
    `function.timeout`: Lambda gives no older record to the function."""


class HeartbeatSettings(SettingsModel):
    """Heartbeat: each member writes an item of the ring's own `every` so many minutes.

    EventBridge's minimum is one minute:
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
    """

    enabled: StrictBool = False
    """True shows the lag of a ring without traffic, for one write per member and heartbeat."""
    every: Annotated[StrictInt, Field(ge=1, le=1440)] = 1
    """Minutes between two heartbeats of a member."""


class FunctionSettings(SettingsModel):
    """The Lambda function of a hop: memory in MB, timeout in seconds.

    Limits: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    """

    memory: Annotated[StrictInt, Field(ge=128, le=10_240)] = 512
    """MB. The CPU share grows with it; 1769 is one vCPU."""
    timeout: Annotated[StrictInt, Field(ge=1, le=900)] = 60
    """Seconds."""
    log_retention_days: LogRetention = 30
    """Days, as CloudWatch Logs allows them."""
    log_items: StrictBool = False
    """True adds both items to the log line of a conflict, for everyone who may read the log
    group."""
    http: Literal["own", "boto3"] = "own"
    """The HTTP client for DynamoDB: the hop's own, or boto3's, which takes three to four times the
    CPU time per update (docs/explanation/performance.md)."""
    runtime_updates: Literal["auto", "function_update"] = "auto"
    """When Lambda updates the runtime: at any time, or with an update of the function."""
