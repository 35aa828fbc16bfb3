"""What makes a member's heart beat: its key, and the rule that has a hop's function write it."""

from __future__ import annotations

import base64
import json

import pulumi
import pulumi_aws as aws

from ring.settings.members import Member
from ring.settings.sections import Key, TableSettings

HEARTBEAT_EVENT = {"beat": True}
"""The event that a function is called with; `handler/heartbeat.py` is where it is understood."""

_START = "_repl_heartbeat-"


def heartbeat_key(table: TableSettings, member: Member) -> dict[str, dict[str, str]]:
    """The key of a member's beats, as a stream has it: binary as base64.

    Text begins with the ring's reserved prefix and ends with the member's id; a number is that id
    behind 28 nines and a minus, which no application is likely to count to.
    """
    keys = [table.partition_key, *([table.sort_key] if table.sort_key else [])]
    return {key.name: {key.type: _value(key, member.id)} for key in keys}


def _value(key: Key, id_: str) -> str:
    match key.type:
        case "N":
            return f"-{'9' * 28}{int(id_, 16):010d}"
        case "B":
            return base64.b64encode(f"{_START}{id_}".encode()).decode()
        case _:
            return f"{_START}{id_}"


def heartbeat_rule(
    name: str, function: aws.lambda_.Function, every: int, opts: pulumi.ResourceOptions
) -> None:
    """Have EventBridge call a function for a beat every so many minutes."""
    rule = aws.cloudwatch.EventRule(
        name,
        description="A heartbeat of the ring",
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
