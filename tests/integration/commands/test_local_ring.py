"""What commands learn of a ring that runs on this machine (`--local URL`)."""

from __future__ import annotations

from click.testing import CliRunner, Result

from automate import main
from commands.local_ring import RunningLocalRing
from local.ring import LocalRing
from local.stack_config import StackConfig
from tests.support.local_rings import REGIONS, TABLE, UNWATCHED, ring_of

STREAM = "arn:aws:dynamodb:eu-west-1:123456789012:table/legacy/stream/2024-05-01T09:30:00.000"


def run(endpoint: str, *arguments: str) -> Result:
    given = [*arguments, "--local", endpoint]
    return CliRunner().invoke(main, given, catch_exceptions=False)


def test_a_member_that_is_only_named_shows_no_stream_and_is_no_trouble() -> None:
    with ring_of(2, hops=["us-east-1"]) as ring:
        here, there = RunningLocalRing(ring.endpoint).deployed().members
        answers = [run(ring.endpoint, command) for command in ("status", "lag", "redrive")]
    assert (here.named_only, there.named_only, there.stream_arn) == (False, True, None)
    assert [one.exit_code for one in answers] == [0, 0, 0], [one.output for one in answers]


def test_an_adopted_stream_is_listed_as_it_is_here_so_that_status_finds_it_on() -> None:
    members = [{"region": REGIONS[0]}, {"region": REGIONS[1], "stream_arn": STREAM}]
    with LocalRing(
        StackConfig.of({"table": TABLE, "members": members, **UNWATCHED}), idle=0.02
    ) as ring:
        _, adopted = RunningLocalRing(ring.endpoint).deployed().members
        table = ring.client(REGIONS[1]).describe_table(TableName="legacy")["Table"]
        status = run(ring.endpoint, "status")
    assert adopted.stream_arn == table["LatestStreamArn"] != STREAM
    assert status.exit_code == 0, status.output
