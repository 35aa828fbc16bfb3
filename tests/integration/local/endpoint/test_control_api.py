"""What is asked of a running ring at its endpoint: it does so, or refuses with the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.hop import LocalHop
from local.ring import LocalRing
from tests.support.local_rings import PATIENCE, get, hop_from, item, put, ring_of

HERE, THERE = "us-east-1", "eu-west-1"


@pytest.fixture(scope="module")
def ring() -> Iterator[LocalRing]:
    with ring_of(2, heartbeat={"enabled": True}) as running:
        yield running


@pytest.fixture
def hop(ring: LocalRing) -> LocalHop:
    return hop_from(ring, HERE)


@pytest.fixture
def functions(ring: LocalRing) -> Any:
    return ring.member(HERE).clients.functions(HERE)


def asked(hop: LocalHop, **more: Any) -> dict[str, Any]:
    return {
        "FunctionName": hop.function.spec.name,
        "EventSourceArn": hop.mapping.source,
        "StartingPosition": "LATEST",
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        **more,
    }


def test_a_mapping_that_is_disabled_rests_and_goes_on_from_its_place(
    ring: LocalRing, hop: LocalHop, functions: Any
) -> None:
    put(ring, HERE, item("before"))
    ring.wait_until_quiet(PATIENCE)
    answer = functions.update_event_source_mapping(UUID=hop.mapping_id, Enabled=False)
    assert answer["State"] in ("Disabling", "Disabled")
    hop.mapping.settle()  # what it is at is delivered still
    put(ring, HERE, item("meanwhile"))
    put(ring, THERE, item("back"))
    ring.wait_until_quiet(PATIENCE)  # of the other hop
    assert get(ring, HERE, "back") == item("back")
    assert get(ring, THERE, "meanwhile") is None
    assert functions.get_event_source_mapping(UUID=hop.mapping_id)["State"] == "Disabled"
    functions.update_event_source_mapping(UUID=hop.mapping_id, Enabled=True)
    ring.wait_until_quiet(PATIENCE)
    assert get(ring, THERE, "meanwhile") == item("meanwhile")
    assert functions.get_event_source_mapping(UUID=hop.mapping_id)["State"] == "Enabled"


def test_how_the_last_batch_ended_is_shown(ring: LocalRing, hop: LocalHop, functions: Any) -> None:
    put(ring, HERE, item("shown"))
    ring.wait_until_quiet(PATIENCE)
    (listed,) = functions.list_event_source_mappings(FunctionName=hop.function.spec.name)[
        "EventSourceMappings"
    ]
    assert listed["LastProcessingResult"] == "OK"


@pytest.mark.parametrize(
    ("position", "seen"), [("LATEST", False), ("TRIM_HORIZON", True)], ids=["latest", "horizon"]
)
def test_a_mapping_that_is_deleted_ends_and_a_new_one_begins_where_it_is_configured(
    ring: LocalRing, hop: LocalHop, functions: Any, position: str, seen: bool
) -> None:
    gone = hop.mapping_id
    assert functions.delete_event_source_mapping(UUID=gone)["State"] == "Deleting"
    hop.mapping.settle()  # what it is at is delivered still
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        functions.get_event_source_mapping(UUID=gone)
    put(ring, HERE, item(f"between-{position}"))
    ring.wait_until_quiet(PATIENCE)
    assert get(ring, THERE, f"between-{position}") is None
    made = functions.create_event_source_mapping(**asked(hop, StartingPosition=position))
    assert made["State"] == "Creating"
    assert functions.get_event_source_mapping(UUID=made["UUID"])["State"] == "Enabled"
    put(ring, HERE, item(f"after-{position}"))
    ring.wait_until_quiet(PATIENCE)
    assert get(ring, THERE, f"after-{position}") == item(f"after-{position}")
    assert (get(ring, THERE, f"between-{position}") is not None) is seen


def _clients(ring: LocalRing) -> Any:
    return ring.member(HERE).clients


def _call(service: str, operation: str, **request: Any) -> Callable[[LocalRing], None]:
    def call(ring: LocalRing) -> None:
        hop = hop_from(ring, HERE)
        known = {"FUNCTION": hop.function.spec.name, "MAPPING": hop.mapping_id}
        given = {
            name: known.get(value, value) if isinstance(value, str) else value
            for name, value in request.items()
        }
        getattr(_clients(ring).client(service, HERE), operation)(**given)

    return call


def _create(**more: Any) -> Callable[[LocalRing], None]:
    def call(ring: LocalRing) -> None:
        _clients(ring).functions(HERE).create_event_source_mapping(
            **asked(hop_from(ring, HERE), **more)
        )

    return call


NOBODY = "00000000-0000-4000-8000-000000000000"
FUNCTION = {"FunctionName": "FUNCTION"}
OTHER = f"arn:aws:dynamodb:{HERE}:123456789012:table/others/stream/2024-01-01T00:00:00.000"
SQS = {"OnFailure": {"Destination": f"arn:aws:sqs:{HERE}:123456789012:queue"}}
REFUSED: dict[str, tuple[Callable[[LocalRing], None], str]] = {
    "a mapping's batch size": (
        _call("lambda", "update_event_source_mapping", UUID="MAPPING", BatchSize=5),
        "only Enabled. Change `mapping` in the settings",
    ),
    "a mapping that is not there": (
        _call("lambda", "update_event_source_mapping", UUID=NOBODY, Enabled=False),
        "ResourceNotFoundException",
    ),
    "to delete a mapping that is not there": (
        _call("lambda", "delete_event_source_mapping", UUID=NOBODY),
        "ResourceNotFoundException",
    ),
    "a second mapping": (_create(), "ResourceConflictException"),
    "a mapping of another function": (
        _create(FunctionName="other"),
        "in us-east-1 belongs to no hop",
    ),
    "a mapping of another stream": (_create(EventSourceArn=OTHER), "is not a stream of"),
    "a mapping from nowhere": (_create(StartingPosition="AT_TIMESTAMP"), "StartingPosition must"),
    "a mapping with a filter": (
        _create(FilterCriteria={"Filters": []}),
        "does not support FilterCriteria",
    ),
    "a mapping with a huge factor": (_create(ParallelizationFactor=11), "must be from 1 to 10"),
    "a mapping with a queue": (_create(DestinationConfig=SQS), "only a bucket"),
    "a function's settings": (
        _call("lambda", "update_function_configuration", **FUNCTION, Timeout=1),
        "would change a function",
    ),
    "a function's code": (
        _call("lambda", "update_function_code", **FUNCTION, ZipFile=b"x"),
        "would change a function",
    ),
    "no concurrency": (
        _call("lambda", "put_function_concurrency", **FUNCTION, ReservedConcurrentExecutions=0),
        "would change a function",
    ),
    "to delete a function": (
        _call("lambda", "delete_function", **FUNCTION),
        "would change a function",
    ),
    "to call a function that does not run": (
        _call("lambda", "invoke", FunctionName="other"),
        "runs only the functions of its own hops",
    ),
    "to disable a rule": (
        _call("events", "disable_rule", Name="heartbeat"),
        "DisableRule of EventBridge has no effect",
    ),
    "another target of a rule": (
        _call("events", "remove_targets", Rule="heartbeat", Ids=["a"]),
        "RemoveTargets of EventBridge has no effect",
    ),
    "an event": (
        _call("events", "put_events", Entries=[{"Source": "a", "DetailType": "b", "Detail": "{}"}]),
        "PutEvents of EventBridge has no effect",
    ),
    "a replica of a table": (
        _call(
            "dynamodb",
            "update_table",
            TableName="orders",
            ReplicaUpdates=[{"Create": {"RegionName": "eu-north-1"}}],
        ),
        "UpdateTable with ReplicaUpdates has no effect",
    ),
}


@pytest.mark.parametrize(("call", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_would_do_nothing_is_refused_with_the_reason(
    ring: LocalRing, hop: LocalHop, call: Callable[[LocalRing], None], reason: str
) -> None:
    id_ = hop.mapping_id
    with pytest.raises(ClientError) as refused:
        call(ring)
    assert reason in str(refused.value)
    mapping = _clients(ring).functions(HERE).get_event_source_mapping(UUID=id_)
    assert mapping["State"] == "Enabled"
    assert mapping["BatchSize"] != 5


@pytest.mark.parametrize(
    "call",
    [
        _call("lambda", "get_function", **FUNCTION),
        _call("lambda", "get_function_concurrency", **FUNCTION),
        _call("lambda", "list_functions"),
        _call("events", "list_rules"),
        _call("dynamodb", "update_table", TableName="orders", BillingMode="PAY_PER_REQUEST"),
    ],
)
def test_what_changes_nothing_or_does_so_is_answered(
    ring: LocalRing, call: Callable[[LocalRing], None]
) -> None:
    call(ring)
