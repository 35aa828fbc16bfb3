"""A check says that members are in sync only if it has seen it of every key."""

from __future__ import annotations

import pytest

from commands.check import document, print_check
from commands.output.screen import Screen
from operate.check_run import CheckReport
from operate.reconcile.check_result import CHANGING, EQUAL, CheckResult
from operate.reconcile.difference_kinds import DifferenceKind


@pytest.mark.parametrize(
    ("found", "in_sync", "words"),
    [
        ({EQUAL: 2}, True, "9 keys compared, all members are in sync."),
        ({EQUAL: 1, CHANGING: 1}, False, "9 keys compared, none is known to differ."),
        ({CHANGING: 1, DifferenceKind.MISSING: 1}, False, "9 keys compared, 1 differs."),
    ],
)
def test_a_key_that_changed_at_every_read_is_not_in_sync(
    found: dict[str, int], in_sync: bool, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    report = CheckReport(CheckResult(9, found), [], 0.0, ["us-east-1", "eu-west-1"])
    assert report.in_sync is in_sync
    assert document(report)["in_sync"] is in_sync
    print_check(Screen(False), "dev", report, "")
    assert f"dev: {words}" in capsys.readouterr().out


@pytest.mark.parametrize(("count", "keys"), [(0, "0 keys"), (9, "9 keys")])
def test_a_check_of_some_keys_says_nothing_of_the_others(
    count: int, keys: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = CheckResult(count, {EQUAL: count})
    report = CheckReport(found, [], 0.0, ["us-east-1", "eu-west-1"], is_partial=True)
    print_check(Screen(False), "dev", report, "")
    assert f"dev: {keys} compared, none differs." in capsys.readouterr().out


def test_the_states_of_a_key_are_in_a_column_however_long_the_members_names_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    nothing = {"version": None, "digest": None, "tombstone": None}
    names = ["us-east-1", "ap-southeast-2-orders-apac"]
    differs = {
        "key": {"id": {"S": "a"}},
        "kind": DifferenceKind.MISSING,
        "members": dict.fromkeys(names, nothing),
    }
    report = CheckReport(CheckResult(1, {DifferenceKind.MISSING: 1}), [differs], 0.0, names)
    print_check(Screen(False), "dev", report, "")
    lines = capsys.readouterr().out.splitlines()
    assert len({line.index("nothing") for line in lines if "nothing" in line}) == 1
