"""What `cost` answers."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from click.testing import CliRunner, Result

from automate import main
from ring.project import PROJECT_ROOT

LOAD = ("--writes", "50", "--size", "2KB", "--deletes", "5%", "--inserts", "20%")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["cost", "--stack", "dev", *arguments])


def document(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(*arguments, "--json").stdout)
    return found


def test_it_shows_both_bills_item_by_item_with_date_and_what_is_guessed() -> None:
    costs = document(*LOAD)
    load = {"writes": 50, "size": 2048, "deletes": 0.05, "inserts": 0.2, "projected": 200}
    assert costs["load"] == load
    ring, beside = costs["ring"], costs["global_tables"]
    for bill in (ring, beside):
        assert bill["dollars"] == pytest.approx(
            sum(one["dollars"] for one in bill["lines"]), abs=0.1
        )
    # 131.4 million writes, of 2 units, in 3 regions, at 0.625 dollars a million.
    assert beside["lines"][0]["dollars"] == pytest.approx(131.4 * 2 * 3 * 0.625)
    assert costs["prices_of"] == "2026-09-18"
    assert "eu-west-1, ap-southeast-2" in costs["warnings"][0]
    assert "us-east-1" in run(*LOAD).output


@pytest.mark.parametrize("state", ["bypassed", "rejoining"])
def test_a_member_that_is_out_changes_no_figure_as_the_warning_says(state: str) -> None:
    # Around the second, a hop stays within the region of the first.
    members = [f"--member={one}" for one in ("us-east-1", "eu-west-1", "us-east-1:carts")]
    ring = ["cost", "--table", "orders", "--key", "id:S", *members, "--writes", "50", "--json"]
    both = [
        json.loads(CliRunner().invoke(main, [*ring, *more]).stdout)
        for more in ([], [f"--set=members[1].state={state}"])
    ]
    assert both[0]["ring"] == both[1]["ring"]
    assert both[1]["warnings"][-1] == "This is the cost with all members in the ring."


def test_the_readme_says_what_the_command_says() -> None:
    readme = " ".join((PROJECT_ROOT / "README.md").read_text().split())
    found = re.search(r"costs ([\d.]+) a month, and Global Tables ([\d.]+\d)", readme)
    assert found
    costs = document(*LOAD)
    assert [float(one) for one in found.groups()] == [
        costs["ring"]["dollars"],
        costs["global_tables"]["dollars"],
    ]


KEY = "arn:aws:kms:us-east-1:123456789012:key/1f0f2d4e-5f0b-4c7a-9a53-6d8c1c5b7a10"


@pytest.mark.parametrize(
    ("settings", "warned", "beats"),
    [
        ((), False, False),
        ((f"--set=members[0].kms_key={KEY}",), True, False),
        (("--set=heartbeat.enabled=true",), False, True),
    ],
)
def test_heartbeats_are_counted_and_kms_is_said_not_to_be(
    settings: tuple[str, ...], warned: bool, beats: bool
) -> None:
    ring = [
        "cost",
        "--table",
        "orders",
        "--key",
        "id:S",
        "--member=us-east-1",
        "--member=eu-west-1",
    ]
    result = CliRunner().invoke(main, [*ring, *LOAD, *settings, "--json"])
    costs = json.loads(result.stdout)
    assert any("KMS" in warning for warning in costs["warnings"]) is warned
    assert any("heartbeats'" in one["name"] for one in costs["ring"]["lines"]) is beats


def test_a_price_that_is_said_changes_the_bill() -> None:
    assert (
        document(*LOAD, "--price", "write=0")["ring"]["dollars"]
        < document(*LOAD)["ring"]["dollars"]
    )


@pytest.mark.parametrize(
    "wrong",
    [
        ("--writes", "nan"),
        ("--writes", "inf"),
        ("--writes", "1", "--round-trip", "nan"),
        ("--writes", "1", "--size", "2MB"),
        ("--writes", "1", "--deletes", "101%"),
        ("--writes", "1", "--deletes", "0.05"),  # of a hundred, or of one?
        ("--writes", "1", "--inserts", "5"),
        ("--writes", "1", "--deletes", "60%", "--inserts", "50%"),
        (),
    ],
)
def test_a_load_that_cannot_be_is_wrong_use(wrong: tuple[str, ...]) -> None:
    assert run(*wrong).exit_code == 2


@pytest.mark.parametrize(
    "extreme",
    [
        ("--writes", "1e308"),
        ("--writes", "1e300"),
        ("--size", "9" * 400 + "KB"),
        ("--projected", "9" * 400),
        ("--deletes", "9" * 400 + "%"),
        ("--round-trip", "1e308"),
        ("--price", "write=1e308"),
        ("--price", "us-east-1.requests=1e10"),
    ],
)
def test_a_number_that_no_ring_has_is_wrong_use_and_no_infinite_bill(
    extreme: tuple[str, str],
) -> None:
    ended = run(*LOAD, *extreme, "--json")
    assert (ended.exit_code, json.loads(ended.stdout)["error"]["kind"]) == (2, "invalid")


def test_a_price_of_a_region_where_no_member_is_is_wrong_use() -> None:
    given = ["cost", "--writes", "1", "--stack", "dev", "--price", "eu-wset-1.write=1"]
    result = CliRunner().invoke(main, given)
    assert result.exit_code == 2
    assert "no member is in eu-wset-1. Did you mean `eu-west-1`?" in result.output
