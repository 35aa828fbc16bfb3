"""A member goes out of the ring or comes back: what is to be in the settings file, and deployed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from operate.deployed import Deployed
from operate.deployment.config_source import parse_settings
from operate.deployment.settings_file import Edit, edit_member
from operate.deployment.stack import RingStack
from operate.durations import format_duration
from operate.errors import InvalidRequestError
from operate.held_state import bypassed
from ring.settings.members import Member, NoSuchMemberError, find_member, members_of
from ring.settings.settings import Settings
from ring.topology import all_hops, deployed_hops

STREAM_HOLDS = timedelta(hours=24)
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html"""
_ROOM = timedelta(hours=1)  # for the deployment, and until the new hop has read what is oldest


@dataclass(frozen=True)
class SettingChange:
    """One setting of one member as it is to be: the edit of the file, and all settings after it.

    `member` is as it was before.
    """

    ring: RingStack
    member: Member
    edit: Edit
    settings: Settings

    @property
    def new_hops(self) -> set[tuple[str, str]]:
        """The hops that this stack is to deploy, by their ends' names.

        Those of a bypassed member stay as they are: nothing is deployed in its region.
        """
        return {
            (hop.source.name, hop.target.name)
            for hop in deployed_hops(self.settings)
            if hop.source.state != "bypassed"
        }

    def gone(self, deployed: Deployed) -> list[tuple[str, str]]:
        """The hops that are to be deleted, by their ends' names."""
        out = bypassed(self.settings)
        there = {(hop.source, hop.target) for hop in deployed.hops if hop.source not in out}
        return sorted(there - self.new_hops)

    @property
    def sources_elsewhere(self) -> list[str]:
        """The members whose hops other stacks deploy, so that their files must say the same."""
        ours = {hop.source.name for hop in deployed_hops(self.settings)}
        return sorted({hop.source.name for hop in all_hops(self.settings)} - ours)


def plan_change(ring: RingStack, word: str, setting: str, value: str | bool) -> SettingChange:
    """What it takes to set a setting of the member that a word names. Nothing is changed yet.

    InvalidRequestError if there is no such member, or the settings would not be sound.
    """
    settings = ring.settings()
    members = members_of(settings)
    try:
        member = find_member(members, word)
    except NoSuchMemberError as error:
        raise InvalidRequestError(f"{word}: {error}") from error
    if ring.told_in is None:
        raise InvalidRequestError(
            f"The ring {ring.label} has no settings file that could say so afterwards. Use --stack "
            "or --file, or change its settings in the script that makes it."
        )
    at = members.index(member)
    dumped = settings.model_dump(exclude_unset=True)
    entries = list(dumped["members"])
    entries[at] = {**entries[at], setting: value}
    after = parse_settings({**dumped, "members": entries})
    return SettingChange(ring, member, edit_member(ring.told_in, at, setting, value), after)


def hops_to_add(wished: SettingChange, deployed: Deployed) -> list[tuple[str, str]]:
    """The hops that are to be made, in ring order.

    InvalidRequestError where a new hop would not begin at the beginning of its stream.
    """
    there = {(hop.source, hop.target) for hop in deployed.hops}
    made = sorted(wished.new_hops - there)
    if made and wished.settings.mapping.starting_position != "TRIM_HORIZON":
        raise InvalidRequestError(
            "mapping.starting_position: LATEST\n"
            f"  why:  the hop from {made[0][0]} to {made[0][1]} is a new one, and would leave out "
            "what was written before it\n"
            "  then: Write TRIM_HORIZON, or leave it out. Hops that are deployed ignore it."
        )
    return made


def ensure_all_hops_visible(wished: SettingChange) -> None:
    """InvalidRequestError where other stacks deploy hops, which cannot be watched from here."""
    if others := wished.sources_elsewhere:
        raise InvalidRequestError(
            f"The hops of {', '.join(others)} are deployed by other stacks, and whether they have "
            "caught up cannot be seen from here. Write `state: rejoining` in the files of all "
            "stacks and deploy them; when `status` of each shows a small iterator age at its hops "
            "for ten minutes and more, write `state: in`, and deploy them again."
        )


def max_outage(settings: Settings) -> timedelta:
    """How long a member may be out so that a new hop still tells all that it missed.

    A stream holds 24 hours, and a hop gives a record up after `mapping.record_age`.
    """
    return min(timedelta(seconds=settings.mapping.record_age), STREAM_HOLDS - _ROOM)


def ensure_streams_cover(
    wished: SettingChange, since: datetime, now: datetime, command: str
) -> None:
    """Raise InvalidRequestError if more was missed since a moment than the streams hold."""
    out, most = now - since, max_outage(wished.settings)
    if out <= most:
        return
    told = [*_gap(wished, out, most, command), *_forgotten(wished, out)]
    raise InvalidRequestError("\n".join(told))


def _gap(wished: SettingChange, out: timedelta, most: timedelta, command: str) -> Iterator[str]:
    name = wished.member.name
    yield (
        f"{name} may have missed what was written since {format_duration(out)}, and a new hop "
        f"replicates what was written in the last {format_duration(most)}: a stream holds "
        "24 hours, and a hop abandons a record after `mapping.record_age`. Nothing was changed."
    )
    yield (
        f"If it was out for less, say since when (--since). If not: `{command} --allow-gap`, "
        "and when it is through, `automate.py check` finds what the members do not have alike, and "
        "`automate.py repair` brings the newest version of it to all."
    )


def _forgotten(wished: SettingChange, out: timedelta) -> Sequence[str]:
    kept = timedelta(days=wished.settings.tombstones.retention_days)
    if wished.settings.tombstones.enabled and out < kept - STREAM_HOLDS:
        return ()
    return (
        "Deletes of that time are no longer remembered, so that items of "
        f"{wished.member.name} that are deleted elsewhere would come back: empty its table before "
        "it rejoins, and fill it with `automate.py backfill`.",
    )
