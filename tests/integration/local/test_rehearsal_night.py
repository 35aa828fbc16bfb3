"""The whole rehearsal of a lost region says so when a write was lost."""

from __future__ import annotations

import pytest
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType

from local.clients import HOME_ACCOUNT
from local.demo import rehearsal
from local.demo.story import Story

pytestmark = pytest.mark.long

LOST = "late-1"
"""One of the writes that were unsent when the region was lost."""


def test_a_write_that_is_lost_in_the_night_fails_the_rehearsal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """At the end no member has it: a comparison of the members alone would find no difference."""
    settle = Story.settle

    def settle_and_lose(story: Story) -> None:
        settle(story)
        for member in story.ring.members.values():
            table = dynamodb_backends[HOME_ACCOUNT][member.region].tables[member.table]
            assert table.items.pop(DynamoType({"S": LOST}))

    monkeypatch.setattr(Story, "settle", settle_and_lose)
    assert rehearsal.main() == 1
    output = capsys.readouterr().out
    for name in ("us-east-1", "eu-west-1", "ap-southeast-2-orders-apac"):
        assert f"FAILED: {name} has nothing under {LOST}, and 1 was acknowledged" in output
    assert "all members are in sync" in output
    assert "3 lost: compared at each member" in output
