"""Numbers of the command line that no command can do anything with."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from automate import main


@pytest.mark.parametrize("seconds", ["nan", "inf", "1e308", "1e12", "-1"])
@pytest.mark.parametrize("command", ["watch", "local"])
def test_seconds_that_nobody_can_wait_are_wrong_use(command: str, seconds: str) -> None:
    given = [command, "--stack", "none", "--seconds", seconds]
    ended = CliRunner().invoke(main, given)
    assert (ended.exit_code, "--seconds" in ended.output) == (2, True)
