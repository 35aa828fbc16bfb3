"""Items that expire in the simulation, and those that DynamoDB would leave."""

from __future__ import annotations

from typing import Any

import pytest

from handler.protocol.decide import ReplicaId
from tests.simulation.application import TIME_TO_LIVE, Application
from tests.simulation.check import LastWrites
from tests.simulation.choices import Choices
from tests.simulation.member import Member
from tests.simulation.siblings import Siblings

NOW, YEAR = 1_800_000_000, 365 * 24 * 60 * 60


def expire(end: dict[str, Any]) -> Member:
    """Let DynamoDB look at a member's item with this time to live."""
    member = Member(ReplicaId("0000000a", "here", "orders"), lambda: NOW)
    member.write({"k": {"S": "a"}}, {"k": {"S": "a"}, TIME_TO_LIVE: end})
    application = Application(
        [member],
        1,
        (),
        Choices(0),
        lambda: float(NOW),
        lambda _: None,
        lambda _: None,
        LastWrites(lambda _: 0),
        Siblings(),
    )
    application.do("expire", member, "a")
    return member


def test_an_item_whose_time_has_passed_expires() -> None:
    member = expire({"N": str(NOW - 1)})
    assert member.items == {}
    assert member.stream[-1]["userIdentity"]["principalId"] == "dynamodb.amazonaws.com"


@pytest.mark.parametrize("end", [{"N": "0"}, {"N": str(NOW - 6 * YEAR)}, {"S": str(NOW - 1)}])
def test_an_expiry_that_dynamodb_ignores_deletes_nothing(end: dict[str, Any]) -> None:
    member = expire(end)
    assert list(member.items) == ["a"]
    assert len(member.stream) == 1
