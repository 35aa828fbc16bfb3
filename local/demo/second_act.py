"""The demo's second act: what goes wrong, what becomes of it, and what an operator does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from local.demo.story import Expected, Story
from local.endpoint.fault_injection import NoAnswerError, outage
from ring.project import PROJECT_ROOT

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import GlobalSecondaryIndexUpdateTypeDef

AUTOMATE = PROJECT_ROOT / "automate.py"
EVE = {"customer": {"S": "eve"}, "order": {"S": "1"}}
FAY = {"customer": {"S": "fay"}, "order": {"S": "1"}}
GUS = {"customer": {"S": "gus"}, "order": {"S": "1"}}
NO_COUPON: Any = {"coupon": {"NULL": True}}
_REFUSALS = 3
"""So many calls go unanswered before the region is back."""


def a_region_is_out(story: Story) -> Expected:
    """A region does not answer for a while: what is written waits, and then arrives."""
    region = story.members[1].region
    out, unanswered = outage(region), 0

    def fault(called: str, operation: str) -> bytes | None:
        nonlocal unanswered
        try:
            return out(called, operation)
        except NoAnswerError:
            unanswered += 1
            raise

    with story.ring.faults.inject(fault):
        story.say(f"{region:<16} answers no call any more")
        story.put(0, {**EVE, "total": {"N": "5"}})
        story.wait_until(lambda: unanswered >= _REFUSALS, f"{_REFUSALS} calls go unanswered")
        waiting = story.hop_from(0).mapping.stats().waiting
        story.say(f"{unanswered} calls later the hop still tries, and the record waits:")
        beyond = story.show({0: EVE, 2: EVE})[1]
    story.say(f"{region:<16} answers again")
    return Expected(
        EVE,
        {"total": {"N": "5"}},
        writes=len(story.members) - 1,
        because="a failure that passes is tried again, with pauses, and no record is given up "
        "before a day is nearly over",
        wrong=() if (waiting, beyond) == (1, None) else (f"{waiting} records waited, not 1",),
    )


def one_record_is_poison(story: Story) -> Expected:
    """A table refuses one record: the shard goes on, and the quarantine holds exactly that one."""
    _change_index(story, {"Create": _INDEX})
    story.say(f"{story.members[1].region:<16} has an index on `coupon` (text) that nobody else has")
    story.put(0, {**FAY, **NO_COUPON})
    story.put(0, {**GUS, "total": {"N": "7"}})
    return Expected(
        FAY,
        NO_COUPON,
        because="no retry would help, so the record is set aside with the reason, and what was "
        "written behind it is everywhere",
        writes=2,
        places=(0,),
        also={"customer": GUS["customer"], "order": GUS["order"]},
        set_aside=(FAY,),
        right="that record alone is missing, and it is in the quarantine",
    )


def it_is_played_again(story: Story) -> Expected:
    """The table is mended, and the operator plays the record again."""
    _change_index(story, {"Delete": {"IndexName": _INDEX["IndexName"]}})
    story.say(f"{story.members[1].region:<16} has that index no more")
    arguments = ["redrive", "--local", story.ring.endpoint, "--all", "--yes"]
    story.say(f"$ python automate.py {' '.join(arguments)}")
    played = subprocess.run(
        [sys.executable, str(AUTOMATE), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    for line in played.stdout.splitlines():
        story.say(line)
    code = played.returncode
    return Expected(
        FAY,
        NO_COUPON,
        because="it is written at its own version, as if it had never been set aside, and goes "
        "around like any other (one write by the command, one by the next hop)",
        writes=2,
        wrong=() if code == 0 else (f"redrive ended with {code}",),
    )


STEPS: tuple[Callable[[Story], Expected], ...] = (
    a_region_is_out,
    one_record_is_poison,
    it_is_played_again,
)

_INDEX: Any = {
    "IndexName": "by-coupon",
    "KeySchema": [{"AttributeName": "coupon", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}


def _change_index(story: Story, change: GlobalSecondaryIndexUpdateTypeDef) -> None:
    member = story.members[1]
    member.client.update_table(
        TableName=member.table,
        AttributeDefinitions=[{"AttributeName": "coupon", "AttributeType": "S"}],
        GlobalSecondaryIndexUpdates=[change],
    )
