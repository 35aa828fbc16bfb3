"""Pulumi arguments of a member's tables: the replicated one and the tombstone table."""

from __future__ import annotations

from collections.abc import Iterable

import pulumi_aws as aws

from ring.settings.members import Member
from ring.settings.sections import GlobalIndex, Key, TableSettings

_EXPIRES = "_repl_expires"  # the TTL attribute of a tombstone


def table_args(table: TableSettings, member: Member) -> aws.dynamodb.TableArgs:
    """Return the arguments of the replicated table, with a stream of new and old images."""
    args = _base_args(member.table, table, member)
    args.attributes = _attributes(key for _, key in table.all_keys())
    args.billing_mode = table.billing.mode
    args.read_capacity = table.billing.read
    args.write_capacity = table.billing.write
    args.global_secondary_indexes = _global_indexes(table) or None
    args.local_secondary_indexes = _local_indexes(table) or None
    args.deletion_protection_enabled = table.deletion_protection
    args.stream_enabled = True
    args.stream_view_type = "NEW_AND_OLD_IMAGES"
    args.ttl = _ttl(table.ttl.attribute, enabled=table.ttl.enabled) if table.ttl else None
    return args


def tombstone_args(table: TableSettings, member: Member) -> aws.dynamodb.TableArgs:
    """Return the arguments of the tombstone table: the same keys, no stream and no indexes.

    It is billed by request: deletes come in bursts, and a throttled tombstone delays its hop. It
    has no deletion protection: without the ring it is of no use, and it would be an obstacle if the
    ring were deployed again.
    """
    args = _base_args(member.tombstones, table, member)
    args.attributes = _attributes(table.key_attributes)
    args.billing_mode = "PAY_PER_REQUEST"
    args.ttl = _ttl(_EXPIRES, enabled=True)
    return args


def _base_args(name: str, table: TableSettings, member: Member) -> aws.dynamodb.TableArgs:
    """Return the arguments that a table and its tombstone table share."""
    # Set even without a key: the provider keeps the last value of an omitted block, and so the key
    # of a member whose `kms_key` was removed. If not enabled, DynamoDB encrypts with a key that it
    # owns, free of charge.
    # https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/dynamodb/table.go
    sse = aws.dynamodb.TableServerSideEncryptionArgs(
        enabled=member.kms_key is not None, kms_key_arn=member.kms_key
    )
    return aws.dynamodb.TableArgs(
        name=name,
        hash_key=table.partition_key.name,
        range_key=table.sort_key.name if table.sort_key else None,
        point_in_time_recovery=aws.dynamodb.TablePointInTimeRecoveryArgs(
            enabled=table.point_in_time_recovery
        ),
        server_side_encryption=sse,
    )


def _attributes(keys: Iterable[Key]) -> list[aws.dynamodb.TableAttributeArgs]:
    """Return each key attribute once, sorted: an attribute may be a key of several indexes."""
    types = {key.name: key.type for key in keys}
    return [
        aws.dynamodb.TableAttributeArgs(name=name, type=type_)
        for name, type_ in sorted(types.items())
    ]


def _ttl(attribute: str, *, enabled: bool) -> aws.dynamodb.TableTtlArgs:
    return aws.dynamodb.TableTtlArgs(attribute_name=attribute, enabled=enabled)


def _global_indexes(table: TableSettings) -> list[aws.dynamodb.TableGlobalSecondaryIndexArgs]:
    return [
        aws.dynamodb.TableGlobalSecondaryIndexArgs(
            name=index.name,
            key_schemas=_schema(index),
            projection_type=index.projection,
            non_key_attributes=list(index.attributes) or None,
            read_capacity=table.billing.read,
            write_capacity=table.billing.write,
        )
        for index in table.global_indexes
    ]


def _schema(index: GlobalIndex) -> list[aws.dynamodb.TableGlobalSecondaryIndexKeySchemaArgs]:
    roles = {"HASH": index.partition_key, "RANGE": index.sort_key}
    return [
        aws.dynamodb.TableGlobalSecondaryIndexKeySchemaArgs(attribute_name=key.name, key_type=role)
        for role, key in roles.items()
        if key
    ]


def _local_indexes(table: TableSettings) -> list[aws.dynamodb.TableLocalSecondaryIndexArgs]:
    return [
        aws.dynamodb.TableLocalSecondaryIndexArgs(
            name=index.name,
            range_key=index.sort_key.name,
            projection_type=index.projection,
            non_key_attributes=list(index.attributes) or None,
        )
        for index in table.local_indexes
    ]
