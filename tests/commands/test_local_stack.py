"""What commands learn of a ring that runs on this machine (`--local URL`)."""

from __future__ import annotations

from click.testing import CliRunner, Result

from automate import main
from commands.local_stack import LocalStack
from tests.local.rings import ring_of


def run(endpoint: str, *arguments: str) -> Result:
    given = [*arguments, "--local", endpoint]
    return CliRunner().invoke(main, given, catch_exceptions=False)


def test_a_member_that_is_only_named_tells_no_stream_and_is_no_trouble() -> None:
    with ring_of(2, hops=["us-east-1"]) as ring:
        here, there = LocalStack(ring.endpoint).deployed().members
        answers = [run(ring.endpoint, command) for command in ("status", "lag", "redrive")]
    assert (here.named_only, there.named_only, there.stream_arn) == (False, True, None)
    assert [one.exit_code for one in answers] == [0, 0, 0], [one.output for one in answers]
