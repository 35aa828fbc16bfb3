"""Environment variables of a hop's function. `handler/config.py` reads them."""

from __future__ import annotations

import json

import pulumi

from ring.resources.heartbeat import heartbeat_key
from ring.settings.members import Member
from ring.settings.settings import Settings


def environment(
    source: Member,
    target: Member,
    settings: Settings,
    *,
    quarantine: tuple[pulumi.Input[str], pulumi.Input[str]],
    target_role: pulumi.Input[str] | None = None,
) -> dict[str, pulumi.Input[str]]:
    """Return the variables that the handler reads. What does not apply is absent, not empty.

    `quarantine` is a bucket's name, and the account that owns it; `target_role` the ARN of the role
    that the function assumes to write to the target, where its own cannot. Tables are given by
    name, not by ARN: the role that reads or writes one is in the table's account.
    """
    variables: dict[str, pulumi.Input[str]] = {
        "RING_SOURCE_REGION": source.region,
        "RING_SOURCE_TABLE": source.table,
        "RING_SOURCE_ID": source.id,
        "RING_TARGET_REGION": target.region,
        "RING_TARGET_TABLE": target.table,
        "RING_TARGET_ID": target.id,
        "RING_EXPIRY": settings.table.ttl.expiry if settings.table.ttl else "own",
        "RING_QUARANTINE": quarantine[0],
        "RING_QUARANTINE_OWNER": quarantine[1],
        "RING_WRITES": "batched",
    }
    if settings.tombstones.enabled:
        variables["RING_SOURCE_TOMBSTONES"] = source.tombstones
        variables["RING_TARGET_TOMBSTONES"] = target.tombstones
        variables["RING_RETENTION_DAYS"] = str(settings.tombstones.retention_days)
    if settings.heartbeat.enabled:
        variables["RING_HEARTBEAT"] = json.dumps(heartbeat_key(settings.table, source))
    if settings.function.log_items:
        variables["RING_LOG_ITEMS"] = "yes"
    if settings.function.http != "own":
        variables["RING_HTTP"] = settings.function.http
    if target_role is not None:
        variables["RING_TARGET_ROLE"] = target_role
    if target.writer_secret and source.partition != target.partition:
        variables["RING_TARGET_SECRET"] = target.writer_secret.arn
    return variables
