"""The part that works on segments, made, changed and deleted by the real engine, in this order."""

from __future__ import annotations

import json
from typing import Any

import pytest

from operate.deployed import Deployed, DeployedDistributed
from tests.engine.stacks import Engine, EngineStack

pytestmark = pytest.mark.long

REGIONS = ("us-east-1", "eu-west-1")
SETTINGS: dict[str, Any] = {
    "table": {
        "name": "orders",
        "partition_key": {"name": "id", "type": "S"},
        "deletion_protection": False,
    },
    "members": [{"region": region} for region in REGIONS],
    "monitoring": {"enabled": False},
}
ON = {"enabled": True, "at_once": 5}


@pytest.fixture(scope="module")
def stack(engine: Engine) -> EngineStack:
    made = engine.stack("parted", SETTINGS)
    made.up()
    return made


def part(stack: EngineStack) -> DeployedDistributed:
    """What operations find of it in the engine's state."""
    found = Deployed.read({"deployment": {"resources": stack.state()}}).distributed
    assert found is not None
    return found


def client(engine: Engine, service: str, region: str = REGIONS[0]) -> Any:
    return engine.place(region).clients.client(service, region)


def test_a_ring_has_none_unless_it_says_so(engine: Engine, stack: EngineStack) -> None:
    assert Deployed.read({"deployment": {"resources": stack.state()}}).distributed is None
    assert client(engine, "stepfunctions").list_state_machines()["stateMachines"] == []


def test_switched_on_it_is_made_and_operations_find_it(engine: Engine, stack: EngineStack) -> None:
    stack.configure(distributed=ON)
    changes = stack.up()
    # Itself; bucket with its block, policy and lifecycle, two log groups, function, machine, two
    # roles with their three policies.
    assert (changes["create"], changes.get("update")) == (14, None)
    found = part(stack)
    assert (found.member, found.readers, found.writes) == (REGIONS[0], {}, False)
    machine = client(engine, "stepfunctions").describe_state_machine(
        stateMachineArn=found.state_machine
    )
    map_ = json.loads(machine["definition"])["States"]["Segments"]
    assert map_["MaxConcurrency"] == 5
    called = map_["ItemProcessor"]["States"]["Work"]["Resource"]
    function = client(engine, "lambda").get_function(FunctionName=called)["Configuration"]
    assert function["Handler"] == "operate.distributed.worker.handle"
    client(engine, "s3").head_bucket(Bucket=found.bucket)
    (logged,) = machine["loggingConfiguration"]["destinations"]
    group = logged["cloudWatchLogsLogGroup"]["logGroupArn"]
    assert ":log-group:/aws/vendedlogs/states/ring-segments-" in group


def test_nothing_of_it_differs_afterwards(stack: EngineStack) -> None:
    assert set(stack.refresh()) == {"same"}
    assert set(stack.preview()) == {"same"}


def test_what_it_may_and_how_much_at_once_is_changed_in_place(
    engine: Engine, stack: EngineStack
) -> None:
    before = part(stack)
    stack.configure(distributed=ON | {"at_once": 9, "writes": True, "memory": 512})
    changes = stack.up()
    # The machine, the function and its policy.
    assert (changes["update"], changes.get("replace")) == (3, None)
    after = part(stack)
    assert after.writes
    assert (after.state_machine, after.bucket) == (before.state_machine, before.bucket)


def test_at_another_member_it_is_another(engine: Engine, stack: EngineStack) -> None:
    before = part(stack)
    client(engine, "s3").put_object(Bucket=before.bucket, Key="run/1", Body=b"found")
    stack.configure(distributed=ON | {"at": REGIONS[1]})
    stack.up()
    after = part(stack)
    assert (after.member, after.state_machine.split(":")[3]) == (REGIONS[1], REGIONS[1])
    assert client(engine, "stepfunctions").list_state_machines()["stateMachines"] == []


def test_switched_off_it_goes_with_what_is_in_its_bucket(
    engine: Engine, stack: EngineStack
) -> None:
    bucket = part(stack).bucket
    s3 = client(engine, "s3", REGIONS[1])
    s3.put_object(Bucket=bucket, Key="run/1", Body=b"found")
    stack.configure(distributed=None)
    assert stack.up()["delete"] == 14
    assert bucket not in {one["Name"] for one in s3.list_buckets()["Buckets"]}
