"""Plan a change of one member's setting: the edit of the settings, and the hops it changes."""

from __future__ import annotations

from dataclasses import dataclass

from operate.deployed import Deployed
from operate.deployment.config_source import parse_settings
from operate.errors import InvalidRequestError
from operate.held_state import bypassed
from operate.membership.ring import ChangeableRing, SettingEdit
from operate.rings import command_for
from ring.settings.errors import SettingProblem
from ring.settings.members import Member, NoSuchMemberError, find_member, members_of
from ring.settings.settings import Settings
from ring.topology import all_hops, deployed_hops


@dataclass(frozen=True)
class SettingChange:
    """A change of one setting of one member.

    `ring` has the new `settings` already; `member` is as it was before.
    """

    ring: ChangeableRing
    member: Member
    edit: SettingEdit
    settings: Settings

    @property
    def new_hops(self) -> set[tuple[str, str]]:
        """The hops that this stack is to deploy, by the names of source and target.

        Without those of bypassed members: nothing is deployed in their regions.
        """
        return {
            (hop.source.name, hop.target.name)
            for hop in deployed_hops(self.settings)
            if hop.source.state != "bypassed"
        }

    def removed_hops(self, deployed: Deployed) -> list[tuple[str, str]]:
        """The hops that will be deleted, by the names of source and target."""
        out = bypassed(self.settings)
        current = {(hop.source, hop.target) for hop in deployed.hops if hop.source not in out}
        return sorted(current - self.new_hops)

    @property
    def sources_elsewhere(self) -> list[str]:
        """Members whose hops other stacks deploy: their files need the same change."""
        ours = {hop.source.name for hop in deployed_hops(self.settings)}
        return sorted({hop.source.name for hop in all_hops(self.settings)} - ours)


def plan_change(ring: ChangeableRing, name: str, setting: str, value: str | bool) -> SettingChange:
    """Plan to set a setting of the member with this name. Changes nothing.

    Raises `InvalidRequestError` if there is no such member or the settings would be invalid.
    """
    settings = ring.settings()
    members = members_of(settings)
    try:
        member = find_member(members, name)
    except NoSuchMemberError as error:
        raise InvalidRequestError(f"{name}: {error}") from error
    index = members.index(member)
    document = settings.model_dump(exclude_unset=True)
    entries = list(document["members"])
    entries[index] = {**entries[index], setting: value}
    after = parse_settings({**document, "members": entries})
    edit = ring.edit_member(index, setting, value)
    return SettingChange(ring.with_settings(after), member, edit, after)


def hops_to_add(change: SettingChange, deployed: Deployed) -> list[tuple[str, str]]:
    """Return the hops to create, in ring order.

    Raises `InvalidRequestError` if a new hop would not read its stream from the oldest record.
    """
    current = {(hop.source, hop.target) for hop in deployed.hops}
    added = sorted(change.new_hops - current)
    if added and change.settings.mapping.starting_position != "TRIM_HORIZON":
        problem = SettingProblem(
            "mapping.starting_position",
            change.settings.mapping.starting_position,
            f"the new hop from {added[0][0]} to {added[0][1]} would skip all earlier writes",
            "Write TRIM_HORIZON, or leave it out. Deployed hops ignore it.",
        )
        raise InvalidRequestError(str(problem), [problem])
    return added


def ensure_all_hops_visible(change: SettingChange) -> None:
    """Raise `InvalidRequestError` if other stacks deploy hops: this one cannot wait for them."""
    if others := change.sources_elsewhere:
        raise InvalidRequestError(
            f"Other stacks deploy the hops of {', '.join(others)}, and this one cannot see whether "
            "they have caught up. Write `state: rejoining` in the files of all stacks and deploy "
            "them; when `status` of each has shown a small iterator age at its hops for ten "
            "minutes, write `state: in`, and deploy them again."
        )


def ensure_none_paused(change: SettingChange) -> None:
    """Raise `InvalidRequestError` if a hop to or from the member is paused: it never catches up."""
    name = change.member.name
    near = [hop for hop in all_hops(change.settings) if name in (hop.source.name, hop.target.name)]
    if paused := sorted({hop.source.name for hop in near if hop.source.paused}):
        raise InvalidRequestError(
            f"{name} is in the ring again when the hops to and from it have caught up, which a "
            f"paused hop never does: {', '.join(paused)}. Nothing was changed. First: "
            + ", ".join(command_for(change.ring)(f"resume {one}") for one in paused)
        )
