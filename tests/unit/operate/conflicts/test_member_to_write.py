"""The member that is named to resolve a conflict at."""

from typing import Any
from unittest.mock import Mock

import pytest

from operate.conflicts.resolving import member_to_write
from operate.deployed import Deployed, DeployedMember
from operate.errors import InvalidRequestError

MEMBERS = [DeployedMember(name, name, "orders") for name in ("us-east-1", "eu-west-1")]
ENTRY: Any = Mock()  # not looked at where a member is named


def test_a_member_is_found_by_its_name() -> None:
    assert member_to_write(Deployed(MEMBERS), ENTRY, "eu-west-1") == MEMBERS[1]


def test_an_unknown_name_is_refused_with_the_closest_one() -> None:
    with pytest.raises(InvalidRequestError, match=r"eu-wset-1: no .* Did you mean `eu-west-1`"):
        member_to_write(Deployed(MEMBERS), ENTRY, "eu-wset-1")


def test_a_bypassed_member_is_refused_as_such() -> None:
    with pytest.raises(InvalidRequestError, match="eu-west-1 is bypassed"):
        member_to_write(Deployed(MEMBERS, held=frozenset({"eu-west-1"})), ENTRY, "eu-west-1")
