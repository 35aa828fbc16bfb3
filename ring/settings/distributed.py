"""The section `distributed`, and what it must be to the rest of the settings. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import Field, StrictBool, StrictInt

from ring.settings.errors import SettingProblem
from ring.settings.members import Member, NoSuchMemberError, find_member
from ring.settings.sections import SettingsModel


class DistributedSettings(SettingsModel):
    """Whether the stack can check and fill whole tables in functions, segment by segment."""

    enabled: StrictBool = False
    at: str | None = None
    """The member at which all of it stands. Default: the first whose hop this stack deploys."""
    # A Distributed Map's most: https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
    at_once: Annotated[StrictInt, Field(ge=1, le=10_000)] = 100
    """Segments at a time. Their functions count in the account's quota, as the hops' do."""
    # A whole processor: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
    memory: Annotated[StrictInt, Field(ge=128, le=10_240)] = 1769
    """MB, of a function."""
    writes: StrictBool = False
    """Whether the functions may also write, to fill members: else they can only check."""


def runner_member(distributed: DistributedSettings, sources: Sequence[Member]) -> Member:
    """The member at which it stands, of those whose hops the stack deploys.

    NoSuchMemberError if it is none of them.
    """
    return sources[0] if distributed.at is None else find_member(sources, distributed.at)


def check_distributed(
    distributed: DistributedSettings,
    members: Sequence[Member],
    sources: Sequence[Member] | None,
) -> Iterator[SettingProblem]:
    """All mistakes between the section and the ring's members.

    `sources` are the members at which the stack's hops start, or all of them where that is not
    known; None if not even those are.
    """
    if not distributed.enabled or not sources:
        return
    try:
        here = runner_member(distributed, sources)
    except NoSuchMemberError as error:
        yield SettingProblem("distributed.at", distributed.at, error.reason, error.remedy)
        return
    beyond = [member for member in members if member.partition != here.partition]
    if beyond:
        yield SettingProblem(
            "distributed.enabled",
            True,
            f"{beyond[0].name} lies in partition {beyond[0].partition}, and the functions would "
            f"stand at {here.name} in {here.partition}, where no role of that one can be taken",
            "Leave it out, and run the commands without --distributed, on a machine that has "
            "credentials for both.",
        )
