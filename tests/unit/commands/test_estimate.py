"""What `estimate` answers."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from automate import main
from ring.project import PROJECT_ROOT

MEANT = ("--size", "1TB", "--item", "1KB")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["estimate", "--stack", "dev", *arguments])


def test_the_documentation_says_what_the_command_says() -> None:
    told = run(*MEANT).output
    assert told.strip() in (PROJECT_ROOT / "docs" / "operating.md").read_text()


def test_scripts_are_told_both_ways_whole() -> None:
    told = json.loads(run(*MEANT, "--json").stdout)
    assert told["tables"]["items"] == 1024**3
    assert list(told["ways"]) == ["sorted here", "apart, in functions"]
    for way in told["ways"].values():
        assert way["bill"]["dollars"] == pytest.approx(
            sum(line["dollars"] for line in way["bill"]["lines"]), abs=0.1
        )
        assert way["hours"] == max(one["quantity"] for one in way["times"])


def test_what_decides_is_told_by_its_name() -> None:
    assert "hours, decided by functions." in run(*MEANT, "--segments", "1").output
    assert "hours, decided by a table's quota." in run(*MEANT).output


@pytest.mark.parametrize("option", ["--rate", "--megabits", "--round-trip"])
@pytest.mark.parametrize("value", ["nan", "inf"])
def test_what_is_not_finite_is_wrong_use(option: str, value: str) -> None:
    told = run(*MEANT, option, value)
    assert (told.exit_code, "finite" in told.output) == (2, True)


@pytest.mark.parametrize("wrong", [(), ("--size", "1PB"), ("--size", "0GB"), ("--size", "many")])
def test_a_size_that_cannot_be_is_wrong_use(wrong: tuple[str, ...]) -> None:
    assert run(*wrong).exit_code == 2
