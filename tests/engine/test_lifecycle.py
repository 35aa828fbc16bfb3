"""The life of a stack on the real engine: each test begins where the one before it ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from local.cloud.resources import RESOURCE_TYPES
from local.endpoint.request_counter import READS, WRITES
from local.running_ring import RunningRing
from tests.engine.replication import check_replication, running
from tests.engine.stacks import Engine, EngineStack

TABLE: dict[str, Any] = {"name": "orders", "partition_key": {"name": "id", "type": "S"}}
A, B, C, D = (
    {"region": region} for region in ("us-east-1", "eu-west-1", "ap-southeast-2", "sa-east-1")
)


@pytest.fixture(scope="module")
def stack(engine: Engine) -> EngineStack:
    return engine.stack("life", {"table": TABLE, "members": [A, B]})


@pytest.fixture(scope="module")
def ring(stack: EngineStack) -> Iterator[RunningRing]:
    with running(stack) as ring:
        yield ring


def tables(engine: Engine, region: str) -> list[str]:
    client = engine.place(region).clients.dynamodb(region)
    return sorted(client.list_tables()["TableNames"])


def functions(engine: Engine, region: str) -> list[Any]:
    client = engine.place(region).clients.functions(region)
    return [*client.list_functions()["Functions"]]


def mapping(engine: Engine, region: str) -> Any:
    client = engine.place(region).clients.functions(region)
    (found,) = client.list_event_source_mappings()["EventSourceMappings"]
    return found


@pytest.mark.long
def test_a_preview_shows_what_would_be_made_and_makes_nothing(
    engine: Engine, stack: EngineStack
) -> None:
    assert set(stack.preview()) == {"create"}
    assert tables(engine, "us-east-1") == functions(engine, "us-east-1") == []
    assert engine.meter.read().count(WRITES | READS) == 0


def test_up_makes_what_the_preview_showed_and_it_replicates(
    engine: Engine, stack: EngineStack, ring: RunningRing
) -> None:
    planned = stack.preview()
    assert stack.up() == planned
    for region in ("us-east-1", "eu-west-1"):
        assert tables(engine, region) == ["orders", "orders-tombstones"]
    check_replication(engine, stack, ring)


@pytest.mark.long
def test_a_second_up_changes_nothing_and_neither_does_a_refresh(stack: EngineStack) -> None:
    assert set(stack.up()) == {"same"}
    assert set(stack.refresh()) == {"same"}


@pytest.mark.long
def test_memory_batch_size_and_tags_are_changed_in_place(
    engine: Engine, stack: EngineStack, ring: RunningRing
) -> None:
    before = ids(stack)
    stack.configure(function={"memory": 1024}, mapping={"batch_size": 7}, tags={"team": "orders"})
    changes = stack.up()
    assert set(changes) == {"same", "update"}
    assert ids(stack) == before
    (function,) = functions(engine, "us-east-1")
    assert function["MemorySize"] == 1024
    assert mapping(engine, "us-east-1")["BatchSize"] == 7
    client = engine.place("us-east-1").clients.dynamodb("us-east-1")
    arn = client.describe_table(TableName="orders")["Table"]["TableArn"]
    tags = client.list_tags_of_resource(ResourceArn=arn)["Tags"]
    assert tags == [{"Key": "team", "Value": "orders"}]
    check_replication(engine, stack, ring)
    assert set(stack.up()) == {"same"}


def ids(stack: EngineStack) -> dict[str, str]:
    """The resources of AWS by their URNs: one that is replaced has another id."""
    return {one["urn"]: one["id"] for one in stack.state() if one["type"] in RESOURCE_TYPES}


@pytest.mark.long
def test_what_somebody_changed_by_hand_is_seen_by_a_refresh_and_put_right_by_up(
    engine: Engine, stack: EngineStack, ring: RunningRing
) -> None:
    client = engine.place("eu-west-1").clients.functions("eu-west-1")
    client.update_event_source_mapping(UUID=mapping(engine, "eu-west-1")["UUID"], BatchSize=1)
    (function,) = functions(engine, "eu-west-1")
    client.update_function_configuration(FunctionName=function["FunctionName"], MemorySize=128)
    assert stack.refresh()["update"] == 2
    assert stack.preview()["update"] == 2
    assert stack.up()["update"] == 2
    assert mapping(engine, "eu-west-1")["BatchSize"] == 7
    (function,) = functions(engine, "eu-west-1")
    assert function["MemorySize"] == 1024
    check_replication(engine, stack, ring)


@pytest.mark.long
def test_what_somebody_deleted_by_hand_is_made_again(
    engine: Engine, stack: EngineStack, ring: RunningRing
) -> None:
    client = engine.place("eu-west-1").clients.functions("eu-west-1")
    client.delete_event_source_mapping(UUID=mapping(engine, "eu-west-1")["UUID"])
    assert stack.refresh()["delete"] == 1
    assert stack.up()["create"] == 1
    check_replication(engine, stack, ring)


@pytest.mark.long
def test_tombstones_go_off_and_come_on_again(
    engine: Engine, stack: EngineStack, ring: RunningRing
) -> None:
    stack.configure(tombstones={"enabled": False})
    assert stack.up()["delete"] == 2
    assert tables(engine, "us-east-1") == ["orders"]
    check_replication(engine, stack, ring)
    stack.configure(tombstones=None)
    assert stack.up()["create"] == 2
    check_replication(engine, stack, ring)


@pytest.mark.long
def test_another_starting_position_is_for_hops_to_come(stack: EngineStack) -> None:
    stack.configure(mapping={"batch_size": 7, "starting_position": "LATEST"})
    assert set(stack.preview()) == {"same"}
    stack.configure(mapping={"batch_size": 7})


def test_destroy_leaves_the_protected_tables_and_nothing_else(
    engine: Engine, stack: EngineStack
) -> None:
    assert set(stack.destroy()) == {"delete"}
    for region in ("us-east-1", "eu-west-1"):
        assert tables(engine, region) == ["orders"]
        assert functions(engine, region) == []
