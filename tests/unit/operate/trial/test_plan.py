"""Plan and cost of a trial."""

from __future__ import annotations

from typing import Any

import pytest

from operate.deployment.config_source import parse_settings
from operate.errors import InvalidRequestError
from operate.pricing.prices import PriceList
from operate.trial.cost import LIMIT, most_dollars, trial_cost
from operate.trial.plan import TAG, plan_trial
from ring.settings.types import MAX_TAGS
from ring.topology import all_hops
from tests.support.local_rings import TABLE

REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-2")
PROD: dict[str, Any] = {
    "table": {
        "name": "orders",
        "partition_key": {"name": "customer", "type": "S"},
        "ttl": {"attribute": "until", "expiry": "delete"},
        "billing": {"mode": "PROVISIONED", "read": 100, "write": 100},
    },
    "members": [
        {"region": "us-east-1", "paused": True},
        {"region": "eu-west-1", "table": "orders-eu", "profile": "europe"},
    ],
    "function": {"memory": 1024},
    "monitoring": {"topics": ["arn:aws:sns:us-east-1:123456789012:ops"]},
    "tags": {"team": "shop"},
    "hops": ["us-east-1"],
}


def test_a_trial_has_tables_of_its_own_name_which_can_be_deleted() -> None:
    first, second = plan_trial(REGIONS), plan_trial(REGIONS)
    assert first.name != second.name
    table = first.parsed().table
    assert (table.name, table.deletion_protection) == (first.name, False)


def test_names_and_tags_say_which_trial_a_resource_is_of() -> None:
    plan = plan_trial(REGIONS)
    assert plan.settings["tags"] == {TAG: plan.name}
    for member in plan.members:
        assert member.resource_name.startswith(plan.name.removeprefix("ring-"))
    for hop in all_hops(plan.parsed()):
        assert hop.slug.startswith(plan.name.removeprefix("ring-"))


def test_a_trial_like_a_stack_has_its_settings_but_calls_nobody_and_costs_by_the_request() -> None:
    settings = plan_trial(like=parse_settings(PROD)).parsed()
    assert [(one.region, one.profile, one.paused) for one in settings.members] == [
        ("us-east-1", None, False),
        ("eu-west-1", "europe", False),
    ]
    assert settings.function.memory == 1024
    assert settings.function.log_items
    assert settings.tags["team"] == "shop"
    assert settings.table.ttl
    assert settings.table.ttl.expiry == "delete"
    assert settings.table.billing.mode == "PAY_PER_REQUEST"
    assert settings.monitoring.enabled
    assert not settings.monitoring.topics
    assert len(all_hops(settings)) == 2


def test_a_trial_reads_its_new_streams_from_the_beginning_whatever_its_stack_says() -> None:
    mapping = {"starting_position": "LATEST", "batch_size": 50}
    settings = plan_trial(like=parse_settings({**PROD, "mapping": mapping})).parsed()
    assert settings.mapping.starting_position == "TRIM_HORIZON"
    assert settings.mapping.batch_size == 50


@pytest.mark.parametrize("key", [TAG, TAG.title()])
def test_a_trial_of_a_stack_that_has_its_tag_has_its_own_value(key: str) -> None:
    plan = plan_trial(like=parse_settings({**PROD, "tags": {key: "of the stack"}}))
    assert plan.settings["tags"] == {TAG: plan.name}


def test_a_trial_of_a_stack_with_as_many_tags_as_there_can_be_says_that_it_needs_one() -> None:
    full = {f"tag-{number}": "" for number in range(MAX_TAGS)}
    with pytest.raises(InvalidRequestError, match=f"{TAG}.* 50 tags") as error:
        plan_trial(like=parse_settings({**PROD, "tags": full}))
    assert "51" not in str(error.value)
    plan_trial(like=parse_settings({**PROD, "tags": {**dict(list(full.items())[1:]), TAG: ""}}))


def test_members_in_one_region_have_tables_and_names_of_their_own() -> None:
    members = [
        {"region": "us-east-1", "account": "111111111111", "name": "shop"},
        {"region": "us-east-1", "account": "222222222222", "profile": "b", "name": "stock"},
        {"region": "eu-west-1", "name": "ireland"},
        {"region": "us-east-1", "account": "222222222222", "profile": "b", "table": "more"},
    ]
    plan = plan_trial(like=parse_settings({**PROD, "members": members, "hops": ["shop"]}))
    tail = plan.name.removeprefix("ring-")
    assert [(one.name, one.table, one.account) for one in plan.members] == [
        (f"{tail}-us-east-1", plan.name, "111111111111"),
        (f"{tail}-us-east-1-2", f"{plan.name}-2", "222222222222"),
        (f"{tail}-eu-west-1", plan.name, None),
        (f"{tail}-us-east-1-3", f"{plan.name}-3", "222222222222"),
    ]


@pytest.mark.parametrize("word", ["ireland", "eu-west-1", "eu-west-1/orders-eu"])
def test_the_functions_of_a_whole_table_run_at_the_member_that_the_stack_names(word: str) -> None:
    members = [PROD["members"][0], {**PROD["members"][1], "name": "ireland"}]
    runner = {"distributed": {"enabled": True, "at": word}, "hops": ["ireland"]}
    like = parse_settings({**PROD, "members": members, "monitoring": {}, **runner})
    plan = plan_trial(like=like)
    assert plan.parsed().distributed.at == plan.members[1].name


@pytest.mark.parametrize("regions", [(), ("us-east-1",), ("us-east-1", "nowhere-9")])
def test_too_few_or_unknown_regions_are_refused(regions: tuple[str, ...]) -> None:
    with pytest.raises(InvalidRequestError):
        plan_trial(regions)


@pytest.mark.parametrize("members", [2, 3])
def test_a_trial_costs_less_than_a_dollar(members: int) -> None:
    lines = trial_cost(plan_trial(REGIONS[:members]), PriceList.read())
    assert 0.05 < most_dollars(lines) < LIMIT


def test_heartbeats_are_paid_for_hours_not_for_a_month() -> None:
    like = parse_settings(
        {
            "table": TABLE,
            "members": [{"region": one} for one in REGIONS],
            "heartbeat": {"enabled": True, "every": 1},
        }
    )
    lines = trial_cost(plan_trial(like=like), PriceList.read())
    (writes,) = (line for line in lines if line.name == "heartbeats' writes")
    assert writes.quantity == pytest.approx(3 * 3 * 60 * 3 / 1e6)  # three hours, each minute


def test_dearer_prices_and_more_members_make_it_dearer() -> None:
    prices = PriceList.read()
    two = most_dollars(trial_cost(plan_trial(REGIONS[:2]), prices))
    assert most_dollars(trial_cost(plan_trial(REGIONS), prices)) > two
    prices.change(["write=100"])
    assert most_dollars(trial_cost(plan_trial(REGIONS[:2]), prices)) > two
