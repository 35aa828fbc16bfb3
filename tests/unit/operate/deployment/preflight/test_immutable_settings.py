"""What can no longer be changed once it is deployed, and what still can."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from operate.deployed import Deployed, DeployedHop
from operate.deployment.preflight.immutable_settings import immutable_violations
from ring.settings.settings import Settings
from tests.support.deployments import CONFIG, deployed, state, stream

ROLE = "arn:aws:iam::{}:role/deploys"
OTHER = "210987654321"
REGIONS = ("us-east-1", "eu-west-1")


def changed(*changes: tuple[str, Any], config: dict[str, Any] = CONFIG) -> dict[str, Any]:
    """The configuration with values put at paths such as `members.1.region`; None takes away."""
    config = copy.deepcopy(config)
    for path, value in changes:
        *parents, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        place: Any = config
        for step in parents:
            place = place[step]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return config


def asked(before: dict[str, Any], after: dict[str, Any]) -> dict[str, str]:
    """What is refused: the reasons and remedies by the settings' keys."""
    mistakes = immutable_violations(deployed(before), Settings.parse(after))
    return {one.key: f"{one.reason} | {one.remedy}" for one in mistakes}


ADOPTED = changed(("members.1.stream_arn", stream("eu-west-1", "orders")))
IN_ACCOUNT = changed(("members.1.account", OTHER))
BYPASSED = changed(("members.1.state", "bypassed"))
NAMED = changed(("members.1.name", "europe"))


def with_index(*names: str, kind: str = "S") -> dict[str, Any]:
    key = {"name": "status", "type": kind}
    return changed(
        ("table.global_indexes", [{"name": name, "partition_key": key} for name in names])
    )


def expiring(attribute: str, *, enabled: bool = True) -> dict[str, Any]:
    return changed(("table.ttl", {"attribute": attribute, "enabled": enabled}))


# before, after, the keys that are refused
REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], set[str]]] = {
    "another partition key": (
        CONFIG,
        changed(("table.partition_key.name", "buyer")),
        {"table.partition_key"},
    ),
    "another type": (CONFIG, changed(("table.sort_key.type", "N")), {"table.sort_key"}),
    "no sort key any more": (
        CONFIG,
        changed(("table.sort_key", None), ("table.local_indexes", [])),
        {"table.sort_key", "table.local_indexes"},
    ),
    "a local index more": (
        changed(("table.local_indexes", [])),
        CONFIG,
        {"table.local_indexes"},
    ),
    "a local index less": (
        CONFIG,
        changed(("table.local_indexes", None)),
        {"table.local_indexes"},
    ),
    "a local index that projects less": (
        CONFIG,
        changed(("table.local_indexes.0.projection", "KEYS_ONLY")),
        {"table.local_indexes"},
    ),
    "a local index with another key": (
        CONFIG,
        changed(("table.local_indexes.0.sort_key.type", "S")),
        {"table.local_indexes"},
    ),
    "another table's name": (
        CONFIG,
        changed(("table.name", "purchases")),
        {"members[0].table", "members[1].table"},
    ),
    "a named member in another region": (
        NAMED,
        changed(("members.1.region", "eu-central-1"), config=NAMED),
        {"members[1].region"},
    ),
    "a named member with another table": (
        NAMED,
        changed(("members.1.table", "orders-eu"), config=NAMED),
        {"members[1].table"},
    ),
    "a created table adopted": (CONFIG, ADOPTED, {"members[1].stream_arn"}),
    "an adopted table created": (ADOPTED, CONFIG, {"members[1].stream_arn"}),
    "the keys of adopted tables, which their tombstones have": (
        changed(
            ("members.0.stream_arn", stream("us-east-1", "orders")),
            ("members.2.stream_arn", stream("ap-southeast-2", "orders-apac")),
            config=ADOPTED,
        ),
        changed(
            ("members.0.stream_arn", stream("us-east-1", "orders")),
            ("members.2.stream_arn", stream("ap-southeast-2", "orders-apac")),
            ("table.partition_key.name", "buyer"),
            config=ADOPTED,
        ),
        {"table.partition_key"},
    ),
    "another account": (
        IN_ACCOUNT,
        changed(("members.1.account", "111111111111")),
        {"members[1].account"},
    ),
    "a role in another account": (
        CONFIG,
        changed(("members.1.role", ROLE.format(OTHER))),
        {"members[1].role"},
    ),
    "an account added later, which changes the replica id": (
        CONFIG,
        changed(("members.1.account", "123456789012")),
        {"members[1].account"},
    ),
    "an account removed from the settings": (IN_ACCOUNT, CONFIG, {"members[1].account"}),
    "another name for a created table": (CONFIG, NAMED, {"members[1].name"}),
    "an expiry that is left out": (expiring("expires"), CONFIG, {"table.ttl"}),
    "another attribute of expiry in one step": (
        expiring("expires"),
        expiring("ends"),
        {"table.ttl.attribute"},
    ),
    "an expiry switched off by another attribute": (
        expiring("expires"),
        expiring("ends", enabled=False),
        {"table.ttl.attribute"},
    ),
    "the last global index": (with_index("by-status"), CONFIG, {"table.global_indexes"}),
    "another type of an index's key": (
        with_index("by-status"),
        with_index("by-status", kind="N"),
        {"table.global_indexes[0].partition_key.type"},
    ),
    "another type with another index's name": (
        with_index("by-status"),
        with_index("by-number", kind="N"),
        {"table.global_indexes[0].partition_key.type"},
    ),
    "a member taken off that is in the ring": (CONFIG, changed(("members.1", None)), {"members"}),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_delete_a_table_or_fail_is_refused(case: str) -> None:
    before, after, keys = REFUSED[case]
    assert set(asked(before, after)) == keys


ALLOWED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a member that was named only": (changed(("hops", ["us-east-1"])), CONFIG),
    "nothing": (CONFIG, CONFIG),
    "a member more": (CONFIG, changed(("members", [*CONFIG["members"], {"region": "sa-east-1"}]))),
    "a bypassed member less": (BYPASSED, changed(("members.1", None))),
    "another order": (CONFIG, changed(("members", CONFIG["members"][::-1]))),
    "a global index more": (
        CONFIG,
        changed(
            (
                "table.global_indexes",
                [{"name": "by-status", "partition_key": {"name": "status", "type": "S"}}],
            )
        ),
    ),
    "a global index less of two": (with_index("one", "two"), with_index("two")),
    "an expiry more": (CONFIG, expiring("expires")),
    "an expiry switched off": (expiring("expires"), expiring("expires", enabled=False)),
    "an expiry left out that is off": (expiring("expires", enabled=False), CONFIG),
    "another attribute where expiry is off": (
        expiring("expires", enabled=False),
        expiring("ends"),
    ),
    "indexes and expiry of an adopted table, which the stack does not change": (
        changed(
            ("members", [{"region": r, "stream_arn": stream(r, "orders")} for r in REGIONS]),
            config=with_index("by-status"),
        ),
        changed(("members", [{"region": r, "stream_arn": stream(r, "orders")} for r in REGIONS])),
    ),
    "tombstones off": (CONFIG, changed(("tombstones", {"enabled": False}))),
    "memory": (CONFIG, changed(("function", {"memory": 1024}))),
    "a role in the same account": (
        CONFIG,
        changed(("members.1.role", ROLE.format("123456789012"))),
    ),
    "an adopted table's new stream": (
        ADOPTED,
        changed(
            (
                "members.1.stream_arn",
                stream("eu-west-1", "orders").replace("2026-01-01", "2026-02-02"),
            )
        ),
    ),
    "another name for an adopted table": (
        ADOPTED,
        changed(("members.1.name", "europe"), config=ADOPTED),
    ),
    "local indexes of a table that another stack deploys": (
        changed(("hops", ["us-east-1"]), ("members.0.stream_arn", stream("us-east-1", "orders"))),
        changed(
            ("hops", ["us-east-1"]),
            ("members.0.stream_arn", stream("us-east-1", "orders")),
            ("table.local_indexes", []),
        ),
    ),
    "the table of a member that another stack deploys": (
        changed(("hops", ["us-east-1"])),
        changed(
            ("hops", ["us-east-1"]),
            ("members.1.table", "orders-eu"),
            ("members.1.name", "eu-west-1"),
        ),
    ),
}


@pytest.mark.parametrize("case", ALLOWED)
def test_what_can_be_done_is_not_refused(case: str) -> None:
    assert asked(*ALLOWED[case]) == {}


def test_a_refusal_says_what_is_deployed_and_how_to_do_it() -> None:
    problems = asked(CONFIG, changed(("table.partition_key", {"name": "buyer", "type": "N"})))
    assert "orders in us-east-1 is deployed with customer:S" in problems["table.partition_key"]
    assert "make a ring with another `table.name`" in problems["table.partition_key"]
    assert "`name: eu-west-1`" in asked(CONFIG, NAMED)["members[1].name"]


def test_each_refusal_about_what_is_left_out_says_what_to_write_or_run() -> None:
    off = "`ttl: {attribute: expires, enabled: false}`"
    assert f"Write {off}" in asked(expiring("expires"), CONFIG)["table.ttl"]
    problems = asked(expiring("expires"), expiring("ends"))["table.ttl.attribute"]
    assert f"Deploy {off} first" in problems
    problems = asked(with_index("by-status"), CONFIG)["table.global_indexes"]
    assert "aws dynamodb update-table --region us-east-1 --table-name orders" in problems
    assert """'[{"Delete": {"IndexName": "by-status"}}]'""" in problems


def test_what_the_provider_kept_counts_though_the_last_up_left_it_out() -> None:
    kept = state(CONFIG)
    (table,) = (
        one
        for one in kept["deployment"]["resources"]
        if one["type"] == "aws:dynamodb/table:Table"
        if one["inputs"]["name"] == "orders" and "us-east-1" in one["parent"]
    )
    table["outputs"]["ttl"] = {"attributeName": "expires", "enabled": True}
    table["outputs"]["globalSecondaryIndexes"] = [{"name": "by-status"}]
    mistakes = immutable_violations(Deployed.read(kept), Settings.parse(CONFIG))
    assert [one.key for one in mistakes] == ["table.ttl", "table.global_indexes"]


def test_tables_of_an_update_that_failed_midway_count() -> None:
    half = Deployed.read(state(CONFIG, finished=False))
    after = Settings.parse(changed(("table.partition_key.name", "buyer")))
    assert [one.key for one in immutable_violations(half, after)] == ["table.partition_key"]


def test_nothing_deployed_refuses_nothing() -> None:
    assert immutable_violations(Deployed.read({"deployment": None}), Settings.parse(CONFIG)) == []


def test_the_hop_of_a_member_that_is_held_keeps_no_other_from_being_taken_off() -> None:
    out = changed(("members.0.state", "bypassed"), ("members.1.state", "bypassed"))
    four = {**out, "members": [*out["members"], {"region": "sa-east-1"}]}
    deployed = Deployed.read(state(four))
    led = DeployedHop("us-east-1", "eu-west-1")
    without = Settings.parse({**four, "members": [four["members"][0], *four["members"][2:]]})
    still = replace(deployed, hops=[*deployed.hops, led])
    assert [one.key for one in immutable_violations(still, without)] == ["members"]
    assert immutable_violations(replace(still, held={"us-east-1"}), without) == []
