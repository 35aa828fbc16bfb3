"""Quarantines of a local ring, and the command `redrive` on them."""

from __future__ import annotations

import json
import time
from typing import Any

from click.testing import CliRunner, Result

from automate import main
from local.lambda_emulator.batching import AbandonedBatch, Batch
from local.lambda_emulator.events import FailurePlace, failure_key, failure_record
from local.ring import LocalRing
from tests.support.local_rings import PATIENCE, get, hop_from, item, put
from tests.support.stream_records import record

HERE, THERE = "us-east-1", "eu-west-1"
INDEX: Any = {
    "IndexName": "by-coupon",
    "KeySchema": [{"AttributeName": "coupon", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}
NULL: Any = {"coupon": {"NULL": True}}
LARGE = {"v": {"S": "x" * 404_950}}
"""With the ring's attributes it is too large for moto; without them it is not."""


def buckets(ring: LocalRing) -> list[tuple[str, Any]]:
    members = {hop.quarantine: ring.member(hop.source) for hop in ring.hops.values()}
    return [(name, one.clients.s3(one.region)) for name, one in members.items()]


def redrive(ring: LocalRing, *arguments: str, answer: str | None = None) -> Result:
    given = ["redrive", "--local", ring.endpoint, *arguments]
    return CliRunner().invoke(main, given, input=answer, catch_exceptions=False)


def output_of(result: Result) -> Any:
    return json.loads(result.stdout)


def entries(ring: LocalRing) -> list[dict[str, Any]]:
    (only,) = output_of(redrive(ring, "--json"))["rings"]
    found: list[dict[str, Any]] = only["entries"]
    return found


def refuse(ring: LocalRing) -> None:
    """Let the second member refuse items whose coupon is null, by an index of its own."""
    ring.client(THERE).update_table(
        TableName="orders",
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("id", "coupon")
        ],
        GlobalSecondaryIndexUpdates=[{"Create": INDEX}],
    )


def drop_index(ring: LocalRing) -> None:
    """Take that index away, if it is there."""
    table = ring.client(THERE).describe_table(TableName="orders")["Table"]
    if table.get("GlobalSecondaryIndexes"):
        ring.client(THERE).update_table(
            TableName="orders",
            GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-coupon"}}],
        )


def quarantine_items(ring: LocalRing, *keys: str) -> None:
    """Write items that the second member refuses, and wait until they are in the quarantine."""
    refuse(ring)
    for key in keys:
        put(ring, HERE, item(key, **NULL))
    ring.wait_until_quiet(PATIENCE)
    assert all(get(ring, THERE, key) is None for key in keys)


def give_up(ring: LocalRing, *keys: str, **attributes: Any) -> None:
    """Have a batch of inserts lie where Lambda puts what it has given up."""
    hop, member = hop_from(ring, HERE), ring.member(HERE)
    function = hop.function.spec.arn
    records: tuple[Any, ...] = tuple(
        record(
            10**20 + number,
            Keys=item(key),
            NewImage=item(key, **attributes),
            ApproximateCreationDateTime=int(time.time()),
        )
        for number, key in enumerate(keys)
    )
    place = FailurePlace("11111111-2222-3333-4444-555555555555", function, "arn:s", "shardId-1")
    lost = AbandonedBatch(Batch(records, invocations=7), "RecordAgeExceeded")
    member.clients.s3(member.region).put_object(
        Bucket=hop.quarantine,
        Key=failure_key(place, time.time()),
        Body=json.dumps(failure_record(lost, place, time.time())),
    )
