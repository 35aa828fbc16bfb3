"""Alarms of a trial's ring that have gone off."""

from __future__ import annotations

from operate.deployed import DeployedMember
from operate.trial.context import Trial
from operate.trial.plan import TrialPlan


def name_prefix(plan: TrialPlan) -> str:
    """Return how the names of a trial's functions, roles and alarms begin."""
    return f"ring-{plan.name.removeprefix('ring-')}"


def alarms_in_alarm(trial: Trial) -> list[str]:
    """Return the names of the ring's alarms in state ALARM. Raises botocore's errors."""
    return sorted(name for name, state in alarm_states(trial).items() if state == "ALARM")


def alarm_states(trial: Trial) -> dict[str, str]:
    """Return the state of each of the ring's alarms, by name."""
    places: dict[object, DeployedMember] = {
        (member.credentials, member.region): member for member in trial.members
    }
    prefix = name_prefix(trial.plan)
    return {
        alarm["AlarmName"]: alarm["StateValue"]
        for member in places.values()
        for page in trial.client(member, "cloudwatch")
        .get_paginator("describe_alarms")
        .paginate(AlarmNamePrefix=prefix)
        for alarm in page["MetricAlarms"]
    }
