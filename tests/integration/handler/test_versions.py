"""A function runs with the environment of the version before its code, and of the one after."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import pytest

from handler.config import HopConfig
from ring.resources.function_environment import environment
from ring.settings.settings import Settings as RingSettings
from ring.topology import deployed_hops
from tests.support.deployed_versions import DEMANDS, ENTRY, ENVIRONMENTS, TOMBSTONES, UNDERSTOOD
from tests.support.lambda_functions import NOTHING_FAILED, Ring, ring_of_three
from tests.support.pulumi_mocks import CHINA, OUT, config, deployed

ITEM = {"k": {"S": "1"}, "v": {"S": "a"}}
SECTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "without tombstones": {"tombstones": {"enabled": False}},
    "everything": {
        "heartbeat": {"enabled": True},
        "function": {"log_items": True},
        "distributed": {"enabled": True},
    },
    "two partitions": {"members": CHINA},
}


@pytest.fixture
def ring() -> Iterator[Ring]:
    with ring_of_three() as three:
        yield three


@pytest.mark.parametrize("case", ENVIRONMENTS)
def test_todays_code_starts_with_the_environment_of_the_version_before(case: str) -> None:
    for env in ENVIRONMENTS[case]:
        settings = HopConfig.read(env)
        assert settings.source_replica.region == env["RING_SOURCE_REGION"]
        assert settings.target.table == env["RING_TARGET_TABLE"]
        assert (settings.source.tombstones is None) is ("RING_SOURCE_TOMBSTONES" not in env)
        assert settings.replicates_expiry is (env["RING_EXPIRY"] == "delete")
        assert (settings.heartbeat is not None) is ("RING_HEARTBEAT" in env)
        assert settings.target_access == env.get("RING_TARGET_ROLE")
        assert settings.logs_items is ("RING_LOG_ITEMS" in env)


@pytest.mark.parametrize("case", ["plain", "without tombstones", "everything"])
def test_todays_code_replicates_with_the_environment_of_the_version_before(
    ring: Ring, case: str
) -> None:
    ring.environment = lambda source, _: {**ENVIRONMENTS[case][source], "RING_WRITES": "single"}
    ring.members[0].put(ITEM)
    ring.go_round()
    assert ring.equal() == [ITEM]
    ring.members[1].client.delete_item(TableName="orders", Key={"k": {"S": "1"}})
    ring.go_round()
    assert ring.equal() == []


def test_what_a_version_to_come_adds_to_the_environment_is_ignored(ring: Ring) -> None:
    plain = ENVIRONMENTS["plain"]
    later = {"RING_WRITES": "single", "RING_COMES_LATER": "anything", "RING_TARGET_COLOUR": "{"}
    ring.environment = lambda source, _: {**plain[source], **later}
    ring.members[0].put(ITEM)
    assert ring.hop(0) == NOTHING_FAILED
    assert ring.members[1].items() == [ITEM]


@pytest.mark.parametrize("case", SECTIONS)
def test_the_code_of_the_version_before_finds_all_that_it_asks_for_today(case: str) -> None:
    settings = RingSettings.parse(config(**SECTIONS[case]))
    for hop in deployed_hops(settings):
        env = environment(
            hop.source,
            hop.target,
            settings,
            quarantine=("lost", "1"),
            target_role="arn:aws:iam::1:role/w",
        )
        buried = any(name in env for name in ("RING_SOURCE_TOMBSTONES", "RING_TARGET_TOMBSTONES"))
        demanded = {**DEMANDS, **(TOMBSTONES if buried else {})}
        assert unfit(env, demanded) == {}
        assert unfit(env, {name: UNDERSTOOD[name] for name in UNDERSTOOD if name in env}) == {}


def unfit(env: Mapping[str, Any], demanded: Mapping[str, str]) -> dict[str, Any]:
    return {
        name: env.get(name)
        for name, pattern in demanded.items()
        if not re.fullmatch(pattern, str(env.get(name, "")))
    }


@pytest.mark.usefixtures("event_loop_of_its_own")
def test_both_versions_are_entered_by_one_name() -> None:
    assert deployed().one("Function", OUT).inputs["handler"] == ENTRY
    module, _, name = ENTRY.rpartition(".")
    assert callable(getattr(import_module(module), name))
