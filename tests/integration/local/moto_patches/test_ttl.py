"""Items that expire in a local ring, as DynamoDB's TTL process deletes them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from local.ring import LocalRing
from local.stack_config import StackConfig
from tests.support.local_rings import PATIENCE, REGIONS, TABLE, UNWATCHED, get, item, put

HERE, THERE = REGIONS[:2]
YEAR = 365 * 24 * 60 * 60


def expiring(expiry: str) -> LocalRing:
    members = [{"region": region} for region in (HERE, THERE)]
    table = {**TABLE, "ttl": {"attribute": "until", "expiry": expiry}}
    return LocalRing(StackConfig.of({"table": table, "members": members, **UNWATCHED}), idle=0.02)


@pytest.fixture(params=[pytest.param("own", marks=pytest.mark.long), "delete"])
def ring(request: pytest.FixtureRequest) -> Iterator[LocalRing]:
    with expiring(request.param) as running:
        yield running


def until(seconds: float) -> dict[str, str]:
    """A time that lies so many seconds from now."""
    return {"N": str(int(time.time() + seconds))}


def records(ring: LocalRing, word: str) -> list[dict[str, Any]]:
    """All records of a member's stream so far."""
    member = ring.member(word)
    streams: Any = member.clients.streams(member.region)
    arn = member.client.describe_table(TableName=member.table)["Table"]["LatestStreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    found: list[dict[str, Any]] = streams.get_records(ShardIterator=iterator)["Records"]
    return found


def test_what_has_expired_is_deleted_at_every_member_and_the_record_says_by_whom(
    ring: LocalRing,
) -> None:
    put(ring, HERE, item("over", until=until(-5)))
    ring.wait_until_quiet(PATIENCE)
    assert get(ring, THERE, "over") is not None
    ring.expire()
    ring.wait_until_quiet(PATIENCE)
    assert [get(ring, word, "over") for word in (HERE, THERE)] == [None, None]
    assert ring.differences() == []
    (expiry,) = [one for one in records(ring, HERE) if "userIdentity" in one]
    assert (expiry["eventName"], expiry["dynamodb"]["Keys"]) == ("REMOVE", item("over"))
    assert expiry["userIdentity"] == {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}


LEFT: Mapping[str, dict[str, Any]] = {
    "in an hour": until(3600),
    "six years ago": until(-6 * YEAR),
    "zero": {"N": "0"},
    "in milliseconds": {"N": str(int(time.time() * 1000))},
    "a text": {"S": "1700000000"},
}


def test_what_dynamodb_would_leave_is_left(ring: LocalRing) -> None:
    for name, value in LEFT.items():
        put(ring, HERE, item(name, until=value))
    put(ring, HERE, item("never"))
    ring.wait_until_quiet(PATIENCE)
    ring.expire()
    ring.wait_until_quiet(PATIENCE)
    for name in (*LEFT, "never"):
        assert get(ring, HERE, name) is not None, name
        assert get(ring, THERE, name) is not None, name


@pytest.mark.long
def test_a_member_whose_time_to_live_is_disabled_expires_nothing() -> None:
    with expiring("own") as ring:
        there = ring.client(THERE)
        off: Any = {"Enabled": False, "AttributeName": "until"}
        there.update_time_to_live(TableName="orders", TimeToLiveSpecification=off)
        put(ring, HERE, item("over", until=until(-5)))
        ring.wait_until_quiet(PATIENCE)
        ring.expire()
        ring.wait_until_quiet(PATIENCE)
        assert get(ring, HERE, "over") is None
        assert get(ring, THERE, "over") is not None


def test_where_an_expiry_is_a_delete_it_travels() -> None:
    with expiring("delete") as ring:
        there = ring.client(THERE)
        off: Any = {"Enabled": False, "AttributeName": "until"}
        there.update_time_to_live(TableName="orders", TimeToLiveSpecification=off)
        put(ring, HERE, item("over", until=until(-5)))
        ring.wait_until_quiet(PATIENCE)
        ring.expire()
        ring.wait_until_quiet(PATIENCE)
        assert get(ring, THERE, "over") is None
