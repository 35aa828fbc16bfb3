"""Members come and go under writes, on the real engine. Each test begins where the last ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from local.compare import differences
from local.running_ring import RunningRing
from tests.engine.replication import PATIENCE, joined, keys_at, running
from tests.engine.stacks import Engine, EngineStack
from tests.engine.writers import Writers

pytestmark = pytest.mark.long

TABLE: dict[str, Any] = {"name": "orders", "partition_key": {"name": "id", "type": "S"}}
A, B, C, D = (
    {"region": region} for region in ("us-east-1", "eu-west-1", "ap-southeast-2", "sa-east-1")
)
D_LEAVES = {**D, "state": "bypassed"}


@pytest.fixture(scope="module")
def stack(engine: Engine) -> EngineStack:
    # Batches that a function gets through in its time on a busy machine.
    mapping = {"batch_size": 20}
    return engine.stack("growing", {"table": TABLE, "members": [A, B], "mapping": mapping})


@pytest.fixture(scope="module")
def ring(engine: Engine, stack: EngineStack) -> Iterator[RunningRing]:
    with running(stack) as ring:
        stack.up()
        engine.run(stack, ring)
        yield ring


@pytest.fixture(scope="module")
def writers(ring: RunningRing) -> Iterator[Writers]:
    with Writers() as writers:
        writers.begin(*ring.members.values())
        yield writers


def check_nothing_is_missing(ring: RunningRing, writers: Writers) -> None:
    """Let all writers end: what they left is then at every member, and the ring comes to rest."""
    writers.end()
    assert writers.wrong == []
    ring.wait_until_quiet(PATIENCE)
    members = joined(ring)
    for member in members:
        assert writers.kept - keys_at(member) == set()
        assert writers.deleted & keys_at(member) == set()
    assert differences(members) == []


def test_a_member_is_added_at_the_end_and_gets_what_the_streams_hold(
    engine: Engine, stack: EngineStack, ring: RunningRing, writers: Writers
) -> None:
    stack.configure(members=[A, B, C])
    changes = stack.up()
    assert "replace" not in changes
    engine.run(stack, ring)
    assert list(ring.hops) == [
        "us-east-1 -> eu-west-1",
        "eu-west-1 -> ap-southeast-2",
        "ap-southeast-2 -> us-east-1",
    ]
    check_nothing_is_missing(ring, writers)


def test_a_member_is_added_in_the_middle(
    engine: Engine, stack: EngineStack, ring: RunningRing, writers: Writers
) -> None:
    writers.begin(*ring.members.values())
    stack.configure(members=[A, D, B, C])
    assert "replace" not in stack.up()
    engine.run(stack, ring)
    writers.begin(ring.member("sa-east-1"))
    check_nothing_is_missing(ring, writers)


def test_a_member_is_taken_out_once_its_own_hop_has_sent_all(
    engine: Engine, stack: EngineStack, ring: RunningRing, writers: Writers
) -> None:
    writers.begin(*ring.members.values())
    with ring.paused("sa-east-1"):  # the worst: what was written there is still there alone
        writers.end("sa-east-1")
        stack.configure(members=[A, D_LEAVES, B, C])
        assert "replace" not in stack.up()
        engine.run(stack, ring)
        assert "us-east-1 -> eu-west-1" in ring.hops
        assert "us-east-1 -> sa-east-1" not in ring.hops
    ring.wait_until_drained("sa-east-1", PATIENCE)
    stack.configure(members=[A, B, C])
    stack.up()
    engine.run(stack, ring)
    check_nothing_is_missing(ring, writers)


def test_nothing_circulates_for_an_origin_that_left(
    engine: Engine, ring: RunningRing, writers: Writers
) -> None:
    theirs = next(key for key in sorted(writers.kept) if key.startswith("sa-east-1"))
    before = engine.meter.read()
    ring.client("us-east-1").update_item(
        TableName="orders",
        Key={"id": {"S": theirs}},
        UpdateExpression="SET n = :n",
        ExpressionAttributeValues={":n": {"N": "-1"}},
    )
    ring.wait_until_quiet(PATIENCE)
    assert (engine.meter.read() - before).count(table="orders") == 3
    assert differences(joined(ring)) == []


def test_the_table_of_the_one_that_left_stays_with_its_items(engine: Engine) -> None:
    client = engine.place("sa-east-1").clients.dynamodb("sa-east-1")
    assert client.list_tables()["TableNames"] == ["orders"]
    assert client.scan(TableName="orders", Select="COUNT")["Count"] > 0


def test_taken_out_at_once_a_member_keeps_for_itself_what_it_had_not_sent(
    engine: Engine, stack: EngineStack, ring: RunningRing
) -> None:
    late = {"id": {"S": "late"}}
    with ring.paused("ap-southeast-2"):
        member = ring.member("ap-southeast-2")
        member.client.put_item(TableName="orders", Item=late)
        stack.configure(members=[A, B])
        stack.up()
        engine.run(stack, ring)
    ring.wait_until_quiet(PATIENCE)
    assert "late" not in keys_at(ring.member("us-east-1"))
    assert member.client.get_item(TableName="orders", Key=late)["Item"] == late


def test_it_comes_back_by_its_stream_and_sends_it_then(
    engine: Engine, stack: EngineStack, ring: RunningRing
) -> None:
    client = engine.place("ap-southeast-2").clients.dynamodb("ap-southeast-2")
    stream = client.describe_table(TableName="orders")["Table"]["LatestStreamArn"]
    stack.configure(members=[A, B, {**C, "stream_arn": stream}])
    stack.up()
    engine.run(stack, ring)
    ring.wait_until_quiet(PATIENCE)
    assert "late" in keys_at(ring.member("us-east-1"))
    assert differences(joined(ring)) == []


def test_destroy_leaves_made_and_adopted_tables_with_their_items(
    engine: Engine, stack: EngineStack, ring: RunningRing
) -> None:
    members = joined(ring)
    before = [keys_at(member) for member in members]
    ring.close()
    stack.destroy()
    assert [keys_at(member) for member in members] == before
    for member in members:
        assert member.client.list_tables()["TableNames"] == ["orders"]
