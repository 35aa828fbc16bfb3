"""What a member's going out takes, and when it is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from operate.deployment.ring_file import read_rings
from operate.deployment.stack import RingStack
from operate.errors import InvalidRequestError
from operate.membership.gap import ensure_streams_cover
from operate.membership.plan import SettingChange, hops_to_add, plan_change
from tests.support.deployments import CONFIG, MEMBERS, deployed

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def ring(folder: Path, **sections: Any) -> RingStack:
    path = folder / "rings.yaml"
    document = {"rings": [{"name": "orders", "settings": {**CONFIG, **sections}}]}
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return read_rings(path)[0]


def out(folder: Path, **sections: Any) -> SettingChange:
    return plan_change(ring(folder, **sections), "eu-west-1", "state", "bypassed")


def test_the_hop_around_it_is_new_and_its_own_stays(tmp_path: Path) -> None:
    change = out(tmp_path)
    assert hops_to_add(change, deployed(CONFIG)) == [("us-east-1", "ap-southeast-2-orders-apac")]
    assert change.removed_hops(deployed(CONFIG)) == [("us-east-1", "eu-west-1")]


def test_a_new_hop_that_would_begin_at_the_end_of_its_stream_is_refused(tmp_path: Path) -> None:
    change = out(tmp_path, mapping={"starting_position": "LATEST"})
    with pytest.raises(InvalidRequestError, match="would skip all earlier writes"):
        hops_to_add(change, deployed(CONFIG))


@pytest.mark.parametrize(
    ("record_age", "hours", "refused"),
    [(82_800, 22.9, False), (82_800, 23.1, True), (86_400, 23.1, True), (7_200, 2.1, True)],
)
def test_it_is_refused_beyond_what_a_new_hop_still_sends(
    tmp_path: Path, record_age: int, hours: float, refused: bool
) -> None:
    change = out(tmp_path, mapping={"record_age": record_age})
    since = NOW - timedelta(hours=hours)
    if not refused:
        ensure_streams_cover(change, since, NOW, "bypass")
        return
    with pytest.raises(InvalidRequestError, match=r"automate\.py check") as error:
        ensure_streams_cover(change, since, NOW, "bypass")
    assert "backfill" not in str(error.value)


def test_the_commands_advised_against_a_gap_name_a_ring_on_this_machine(tmp_path: Path) -> None:
    change = out(tmp_path)
    local = replace(change, ring=cast("Any", SimpleNamespace(is_local=True, name="http://ring")))
    with pytest.raises(InvalidRequestError) as refused:
        ensure_streams_cover(local, NOW - timedelta(days=7), NOW, "bypass eu-west-1")
    for command in ("bypass eu-west-1 --allow-gap", "check", "repair", "backfill"):
        assert f"`automate.py {command} --local http://ring`" in str(refused.value)


def test_where_deletes_are_forgotten_it_has_to_be_emptied(tmp_path: Path) -> None:
    change = out(tmp_path)
    with pytest.raises(InvalidRequestError, match=r"empty its table before it rejoins.*backfill"):
        ensure_streams_cover(change, NOW - timedelta(days=6, hours=1), NOW, "bypass")


def test_a_member_that_is_not_there_is_reported_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match=r"eu-west-2: no member.*eu-west-1"):
        plan_change(ring(tmp_path), "eu-west-2", "state", "bypassed")


def test_a_ring_made_by_a_script_has_no_file_to_say_it_in() -> None:
    with pytest.raises(InvalidRequestError, match="has no settings file"):
        plan_change(RingStack(CONFIG), "eu-west-1", "state", "bypassed")


def test_hops_of_other_stacks_are_known(tmp_path: Path) -> None:
    change = out(tmp_path, hops=["us-east-1"])
    assert change.sources_elsewhere == ["ap-southeast-2-orders-apac", "eu-west-1"]
    assert len(MEMBERS) == 3
