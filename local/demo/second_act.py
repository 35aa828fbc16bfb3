"""The demo's second act: an outage, an item that a table rejects, and a redrive."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from local.demo.command_line import run_command
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
"""Number of unanswered calls before the outage ends."""


def a_region_is_out(story: Story) -> Expected:
    """A region has an outage: writes wait and are replicated afterwards."""
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
        story.print(f"{region:<16} stops answering")
        story.put(0, {**EVE, "total": {"N": "5"}})
        story.wait_until(lambda: unanswered >= _REFUSALS, f"{_REFUSALS} calls remain unanswered")
        waiting = story.hop_from(0).mapping.stats().waiting
        story.print(f"After {unanswered} failed calls the hop still retries; the record waits:")
        beyond = story.show({0: EVE, 2: EVE})[1]
    story.print(f"{region:<16} answers again")
    return Expected(
        EVE,
        {"total": {"N": "5"}},
        writes=len(story.members) - 1,
        because="transient failures are retried with backoff for almost a day, as long as the "
        "stream holds the record",
        problems=() if (waiting, beyond) == (1, None) else (f"{waiting} records waited, not 1",),
    )


def a_table_rejects_an_item(story: Story) -> Expected:
    """A table rejects an item: its record is quarantined, and replication continues."""
    _change_index(story, {"Create": _INDEX})
    story.print(f"{story.members[1].region:<16} gets an index on `coupon` (string)")
    story.put(0, {**FAY, **NO_COUPON})
    story.put(0, {**GUS, "total": {"N": "7"}})
    return Expected(
        FAY,
        NO_COUPON,
        because="no retry would help, so the record is quarantined with the reason, and later "
        "records are replicated",
        writes=2,
        members=(0,),
        also={"customer": GUS["customer"], "order": GUS["order"]},
        quarantined=(FAY,),
        success="only that record is missing, and it is in the quarantine",
    )


def the_record_is_redriven(story: Story) -> Expected:
    """The table is repaired, and the operator redrives the record."""
    _change_index(story, {"Delete": {"IndexName": _INDEX["IndexName"]}})
    story.print(f"{story.members[1].region:<16} no longer has that index")
    code = run_command(story, AUTOMATE, ["redrive", "--all", "--yes"])
    return Expected(
        FAY,
        NO_COUPON,
        because="the record is applied with its original version and replicated as usual (one "
        "write by the command, one by the next hop)",
        writes=2,
        problems=() if code == 0 else (f"redrive exited with {code}",),
    )


STEPS: tuple[Callable[[Story], Expected], ...] = (
    a_region_is_out,
    a_table_rejects_an_item,
    the_record_is_redriven,
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
