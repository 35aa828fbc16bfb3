"""The environment of a function: what the stack sets is what the handler reads.

The stack and the handler know nothing of each other; this is where they meet.
"""

from __future__ import annotations

import json

import handler.config
from ring.resources.function_environment import environment
from ring.settings.settings import Settings
from ring.topology import deployed_hops
from tests.support.pulumi_mocks import ACCOUNT, CHINA, ORDERS, TWO, config, deployed

ALWAYS = {
    "RING_SOURCE_REGION",
    "RING_SOURCE_TABLE",
    "RING_SOURCE_ID",
    "RING_TARGET_REGION",
    "RING_TARGET_TABLE",
    "RING_TARGET_ID",
    "RING_EXPIRY",
    "RING_QUARANTINE",
    "RING_QUARANTINE_OWNER",
    "RING_WRITES",
}
WITH_TOMBSTONES = {"RING_SOURCE_TOMBSTONES", "RING_TARGET_TOMBSTONES", "RING_RETENTION_DAYS"}
MEMBERS: list[object] = [{"region": "us-east-1"}, {"region": "eu-west-1", "table": "orders-eu"}]


def variables(*, target_role: str | None = None, **sections: object) -> dict[str, str]:
    settings = Settings.parse(config(members=MEMBERS, **sections))
    there, _ = deployed_hops(settings)
    values = environment(
        there.source, there.target, settings, quarantine=("lost", ACCOUNT), target_role=target_role
    )
    return {key: str(value) for key, value in values.items()}


def test_a_function_is_given_its_hop() -> None:
    assert variables() == {
        "RING_SOURCE_REGION": "us-east-1",
        "RING_SOURCE_TABLE": "orders",
        "RING_SOURCE_ID": "0996013b",
        "RING_SOURCE_TOMBSTONES": "orders-tombstones",
        "RING_TARGET_REGION": "eu-west-1",
        "RING_TARGET_TABLE": "orders-eu",
        "RING_TARGET_ID": "d6ae949f",
        "RING_TARGET_TOMBSTONES": "orders-eu-tombstones",
        "RING_RETENTION_DAYS": "7",
        "RING_EXPIRY": "own",
        "RING_QUARANTINE": "lost",
        "RING_QUARANTINE_OWNER": ACCOUNT,
        "RING_WRITES": "batched",
    }


def test_the_names_are_these_and_no_others() -> None:
    assert set(variables()) == ALWAYS | WITH_TOMBSTONES
    assert set(variables(tombstones={"enabled": False})) == ALWAYS
    assert set(variables(target_role="arn:aws:iam::1:role/writer")) == (
        ALWAYS | WITH_TOMBSTONES | {"RING_TARGET_ROLE"}
    )


def test_a_hop_to_another_partition_is_given_where_its_keys_are() -> None:
    settings = Settings.parse(config(members=CHINA))
    there, _ = deployed_hops(settings)
    values = environment(there.source, there.target, settings, quarantine=("lost", ACCOUNT))
    secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:ring-to-cn-d4E5f6"

    assert set(values) == ALWAYS | WITH_TOMBSTONES | {"RING_TARGET_SECRET"}
    assert values["RING_TARGET_SECRET"] == secret
    read = handler.config.HopConfig.read({key: str(value) for key, value in values.items()})
    assert read.target_access == secret


def test_a_hop_within_a_partition_is_given_no_keys() -> None:
    settings = Settings.parse(config(members=[CHINA[0], TWO[1], CHINA[1]]))
    within = deployed_hops(settings)[0]
    values = environment(within.source, within.target, settings, quarantine=("lost", ACCOUNT))

    assert "RING_TARGET_SECRET" not in values


def test_a_function_expects_its_quarantine_to_be_its_own_accounts() -> None:
    values = deployed().one("Function", "ring-us-east-1-to-eu-west-1").inputs["environment"]

    assert values["variables"]["RING_QUARANTINE_OWNER"] == ACCOUNT
    assert handler.config.HopConfig.read(values["variables"]).quarantine_owner == ACCOUNT
    before = {key: one for key, one in variables().items() if key != "RING_QUARANTINE_OWNER"}
    assert handler.config.HopConfig.read(before).quarantine_owner is None


def test_that_a_conflicts_items_are_logged_is_set_only_where_they_are() -> None:
    assert variables(function={"log_items": True})["RING_LOG_ITEMS"] == "yes"


def test_whose_http_client_is_to_be_used_is_set_only_where_it_is_not_the_hops_own() -> None:
    assert variables(function={"http": "boto3"})["RING_HTTP"] == "boto3"
    assert "RING_HTTP" not in variables(function={"http": "own"})


def test_a_function_is_given_its_heartbeat_only_where_it_beats() -> None:
    values = variables(heartbeat={"enabled": True})["RING_HEARTBEAT"]

    assert json.loads(values) == {
        "customer": {"S": "_repl_heartbeat-0996013b"},
        "order": {"S": "_repl_heartbeat-0996013b"},
    }
    assert "RING_HEARTBEAT" not in variables()


def test_an_expiry_that_travels_is_set() -> None:
    ttl = {"attribute": "expires", "expiry": "delete"}

    assert variables(table=ORDERS | {"ttl": ttl})["RING_EXPIRY"] == "delete"


def test_the_handler_reads_the_environment_that_the_stack_declares() -> None:
    declared = (
        deployed(members=MEMBERS).one("Function", "ring-us-east-1-to-eu-west-1-orders-eu").inputs
    )
    read = handler.config.HopConfig.read(declared["environment"]["variables"])

    assert (read.source_replica.region, read.source_replica.table) == ("us-east-1", "orders")
    assert (read.target_replica.region, read.target_replica.table) == ("eu-west-1", "orders-eu")
    assert read.quarantine == "ring-quarantine-0996013b-a1b2c3"
    assert read.target_access is None
    assert read.batches


def test_the_handler_reads_the_environment_of_a_ring_without_tombstones_and_with_a_role() -> None:
    there = variables(tombstones={"enabled": False}, target_role="arn:aws:iam::1:role/writer")
    read = handler.config.HopConfig.read(there)

    assert read.target_access == "arn:aws:iam::1:role/writer"
