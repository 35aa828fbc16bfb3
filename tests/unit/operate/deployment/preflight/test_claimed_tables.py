"""A ring over tables that another stack has deployed is refused, where that can be known."""

from __future__ import annotations

from typing import Any

import pytest

from operate.deployed import Deployed
from operate.deployment.preflight.claimed_tables import ensure_unclaimed, new_tables
from operate.errors import InvalidRequestError
from ring.settings.settings import Settings
from tests.support.deployments import ACCOUNT, deployed, state

CONFIG: dict[str, Any] = {
    "table": {"name": "orders", "partition_key": {"name": "id", "type": "S"}},
    "members": [{"region": "us-east-1"}, {"region": "eu-west-1"}],
}
OTHER: dict[str, Any] = {
    **CONFIG,
    "members": [{"region": "eu-west-1", "name": "europe"}, {"region": "ap-south-1"}],
}


def refused(
    config: dict[str, Any], ours: Deployed | None = None, account: str | None = ACCOUNT
) -> dict[str, str]:
    """What is refused of a ring beside the stack `other`, by its place."""
    others = {"other": state(OTHER)}
    try:
        ensure_unclaimed(others, ours or Deployed(), Settings.parse(config), lambda _: account)
    except InvalidRequestError as error:
        return {one.key: f"{one.value}: {one.reason}. {one.remedy}" for one in error.problems}
    return {}


def test_the_stack_the_member_and_the_remedy_are_reported() -> None:
    problems = refused(CONFIG)
    assert problems.keys() == {"members[1]"}
    assert f"eu-west-1/orders: the stack other has deployed it, in account {ACCOUNT}" in str(
        problems
    )
    assert "its member europe" in problems["members[1]"]
    assert "`destroy` other first" in problems["members[1]"]


def test_tombstones_are_tables_too() -> None:
    table = {**CONFIG["table"], "name": "orders-tombstones"}
    assert refused({**CONFIG, "table": table}).keys() == {"members[1]"}


@pytest.mark.parametrize("account", [None, "210987654321"])
def test_what_is_elsewhere_or_not_known_to_be_here_is_no_matter(account: str | None) -> None:
    assert refused(CONFIG, account=account) == {}


def test_an_account_that_is_given_is_not_asked_for() -> None:
    members = [{"region": "us-east-1"}, {"region": "eu-west-1", "account": "210987654321"}]
    assert refused({**CONFIG, "members": members}) == {}


def test_members_that_this_stack_has_already_are_its_own() -> None:
    ours = deployed(CONFIG)
    assert new_tables(ours, Settings.parse(CONFIG)) == []
    assert refused(CONFIG, ours) == {}


def test_members_that_another_stack_deploys_of_the_same_ring_are_its_own() -> None:
    assert refused({**CONFIG, "hops": ["us-east-1"]}) == {}
