"""A member's heartbeat: its key, and the schedule on which a hop's function writes it."""

from __future__ import annotations

import base64
import json

import pulumi
import pulumi_aws as aws

from ring.settings.members import Member
from ring.settings.sections import Key, TableSettings

HEARTBEAT_EVENT = {"beat": True}
"""The event that invokes a function for a heartbeat; `handler/heartbeat.py` reads it."""

_PREFIX = "_repl_heartbeat-"


def heartbeat_key(table: TableSettings, member: Member) -> dict[str, dict[str, str]]:
    """Return the key of a member's heartbeat item, in a stream's JSON: binary as base64.

    A string is the ring's reserved prefix and the member's id; a number is that id after a minus
    and 28 nines, which no application is likely to use.
    """
    return {key.name: {key.type: _value(key, member.id)} for key in table.key_attributes}


def _value(key: Key, member_id: str) -> str:
    match key.type:
        case "N":
            return f"-{'9' * 28}{int(member_id, 16):010d}"
        case "B":
            return base64.b64encode(f"{_PREFIX}{member_id}".encode()).decode()
        case _:
            return f"{_PREFIX}{member_id}"


def heartbeat_rule(
    name: str, function: aws.lambda_.Function, every: int, opts: pulumi.ResourceOptions
) -> None:
    """Declare an EventBridge rule that invokes a function for a heartbeat every `every` minutes."""
    rule = aws.cloudwatch.EventRule(
        name,
        description="Heartbeat of the ring",
        # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
        schedule_expression=f"rate({every} minute{'s' if every > 1 else ''})",
        opts=opts,
    )
    aws.lambda_.Permission(
        name,
        action="lambda:InvokeFunction",
        function=function.name,
        principal="events.amazonaws.com",
        source_arn=rule.arn,
        opts=opts,
    )
    aws.cloudwatch.EventTarget(
        name, rule=rule.name, arn=function.arn, input=json.dumps(HEARTBEAT_EVENT), opts=opts
    )
