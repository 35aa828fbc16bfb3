"""The whole rehearsal of a lost region says so when a write was lost."""

from __future__ import annotations

import pytest
from moto.dynamodb.models import dynamodb_backends

from local.clients import HOME_ACCOUNT
from local.demo import rehearsal
from local.demo.rehearsal import Rehearsal


@pytest.mark.long
def test_a_write_that_is_lost_in_the_night_fails_the_rehearsal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The lost member forgets one of its unsent writes: the check alone would find no difference.

    Its item and its record in the stream are taken out of moto, as if they had never been there.
    """
    returns = Rehearsal.the_region_returns

    def forgets(night: Rehearsal) -> None:
        table = dynamodb_backends[HOME_ACCOUNT]["eu-west-1"].tables["orders"]
        table.items.pop("late-1")
        assert table.stream_shard is not None
        table.stream_shard.items[:] = [
            record
            for record in table.stream_shard.items
            if record.record["dynamodb"]["Keys"]["customer"]["S"] != "late-1"
        ]
        returns(night)

    monkeypatch.setattr(Rehearsal, "the_region_returns", forgets)
    assert rehearsal.main() == 1
    output = capsys.readouterr().out
    assert "FAILED: us-east-1 has nothing under late-1, and 1 was acknowledged" in output
    assert "all members are in sync" in output
