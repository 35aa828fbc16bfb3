"""The section `distributed` and its rules. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import Field, StrictBool, StrictInt

from ring.settings.errors import SettingProblem
from ring.settings.members import Member, NoSuchMemberError, find_member
from ring.settings.sections import SettingsModel


class DistributedSettings(SettingsModel):
    """Check and backfill of whole tables in Lambda functions, one per segment."""

    enabled: StrictBool = False
    """True creates a function, a state machine and a bucket for `--distributed`. All members must
    be in one partition."""
    at: str | None = None
    """The member in whose account and region it runs. Default: the first with a hop here."""
    # Maximum of a Distributed Map: https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
    at_once: Annotated[StrictInt, Field(ge=1, le=10_000)] = 100
    """Segments at a time. Their invocations count against the account's concurrency limit."""
    # One full vCPU: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
    memory: Annotated[StrictInt, Field(ge=128, le=10_240)] = 1769
    """MB per function."""
    writes: StrictBool = False
    """True allows the functions to write, for a backfill; false allows a check only."""


def runner_member(distributed: DistributedSettings, sources: Sequence[Member]) -> Member:
    """Return the member at which it runs, one of those whose hops the stack deploys.

    NoSuchMemberError if `at` names none of them.
    """
    return sources[0] if distributed.at is None else find_member(sources, distributed.at)


def check_distributed(
    distributed: DistributedSettings,
    members: Sequence[Member],
    sources: Sequence[Member] | None,
) -> Iterator[SettingProblem]:
    """Yield the problems between the section and the ring's members.

    `sources` are the members at which the stack's hops start, or all members if that is unknown;
    None if those are unknown, too.
    """
    if not distributed.enabled or not sources:
        return
    try:
        runner = runner_member(distributed, sources)
    except NoSuchMemberError as error:
        yield SettingProblem("distributed.at", distributed.at, error.reason, error.remedy)
        return
    foreign = [member for member in members if member.partition != runner.partition]
    if foreign:
        yield SettingProblem(
            "distributed.enabled",
            True,
            f"{foreign[0].name} is in partition {foreign[0].partition}, and the functions would "
            f"run at {runner.name} in {runner.partition}, which cannot assume a role there",
            "Remove it, and run the commands without --distributed, on a machine with credentials "
            "for both partitions.",
        )
