"""Items that DynamoDB will delete by TTL, and those whose time has passed that it leaves."""

from __future__ import annotations

from typing import Any

import pytest

from handler.model.expiry import ttl_attribute, will_be_deleted

NOW = 1_800_000_000.5
DAY = 24 * 60 * 60
YEAR = 365 * DAY


@pytest.mark.parametrize("end", [1_800_000_000, NOW - DAY, 1_800_000_000 - 5 * YEAR + DAY])
def test_an_item_whose_time_has_passed_is_deleted(end: float) -> None:
    assert will_be_deleted({"ttl": {"N": str(end)}}, "ttl", NOW)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param({"N": "1800000001"}, id="in a second"),
        pytest.param({"N": "1700000000000"}, id="in milliseconds"),
        pytest.param({"N": "1e125"}, id="the largest number"),
        pytest.param({"N": "0"}, id="zero"),
        pytest.param({"N": "-1"}, id="before 1970"),
        pytest.param({"N": str(1_800_000_000 - 6 * YEAR)}, id="six years ago"),
        pytest.param({"S": "1799999999"}, id="a string"),
        pytest.param({"NS": ["1799999999"]}, id="a set"),
        pytest.param({"M": {"N": {"N": "1799999999"}}}, id="a map"),
        pytest.param({"NULL": True}, id="null"),
    ],
)
def test_what_the_ttl_process_ignores_is_not_deleted(value: dict[str, Any]) -> None:
    assert not will_be_deleted({"ttl": value}, "ttl", NOW)


def test_an_item_without_the_attribute_or_of_a_table_without_ttl_is_not_deleted() -> None:
    assert not will_be_deleted({"other": {"N": "1799999999"}}, "ttl", NOW)
    assert not will_be_deleted({"ttl": {"N": "1799999999"}}, None, NOW)


@pytest.mark.parametrize("status", ["ENABLING", "DISABLING", "DISABLED"])
def test_a_table_expires_items_only_while_ttl_is_enabled(status: str) -> None:
    described = {"TimeToLiveStatus": status, "AttributeName": "ttl"}
    assert ttl_attribute(described) is None
    assert ttl_attribute({**described, "TimeToLiveStatus": "ENABLED"}) == "ttl"


def test_a_table_that_never_had_ttl_expires_nothing() -> None:
    assert ttl_attribute({"TimeToLiveStatus": "DISABLED"}) is None
