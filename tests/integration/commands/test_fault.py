"""`automate.py fault --local`: faults are started, listed and ended in a running ring."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result

from automate import main
from local.ring import LocalRing
from tests.support.local_rings import ring_of


@pytest.fixture(scope="module")
def ring() -> Iterator[LocalRing]:
    with ring_of(2) as two:
        yield two


def run(ring: LocalRing, *arguments: str) -> Result:
    given = ["fault", *arguments, "--local", ring.endpoint]
    return CliRunner().invoke(main, given, catch_exceptions=False)


def test_a_fault_is_started_listed_and_cleared(ring: LocalRing) -> None:
    started = run(ring, "throttle", "eu-west-1", "0.25", "--for", "5m")
    assert (started.exit_code, started.output) == (
        0,
        "eu-west-1 throttles 25% of the requests to its tables, for 300 s (fault 1).\n",
    )
    (listed,) = json.loads(run(ring, "list", "--json").stdout)["faults"]
    assert (listed["kind"], listed["target"], listed["value"]) == ("throttle", "eu-west-1", 0.25)
    assert 290 < listed["remaining"] <= 300
    assert "throttle" in run(ring, "list").output
    ended = run(ring, "clear", "1").output
    assert ended.startswith("Ended:")
    assert "throttle" in ended
    assert "ends in" not in ended
    assert run(ring, "list").output == "No fault is active.\n"
    assert run(ring, "clear").output == "No fault was active.\n"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["outage", "mars-1"], "no member has this name"),
        (["throttle", "eu-west-1", "2"], "SHARE must be"),
        (["throttle", "eu-west-1", "half"], "'half' is not a share. Write 50% or 0.5"),
        (["delay", "eu-west-1", "1", "--for", "soon"], "'soon' is not a duration"),
        (["clear", "9"], "No active fault has the id '9'"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(
    ring: LocalRing, arguments: list[str], reason: str
) -> None:
    refused = run(ring, *arguments)
    assert refused.exit_code == 2
    assert reason in refused.output
    assert ring.active_faults.list() == ()


@pytest.mark.parametrize("share", ["50%", "0.5"])
def test_a_share_is_a_percentage_or_a_fraction(ring: LocalRing, share: str) -> None:
    assert run(ring, "throttle", "eu-west-1", share).exit_code == 0
    (active,) = ring.active_faults.list()
    assert active.value == 0.5
    run(ring, "clear")


def test_a_url_where_no_ring_runs_is_reported() -> None:
    given = ["fault", "list", "--local", "http://127.0.0.1:9"]
    refused = CliRunner().invoke(main, given, catch_exceptions=False)
    assert refused.exit_code == 1
    assert "No local ring at http://127.0.0.1:9" in refused.output
