"""Settings of which a part may be wrong, for the rules to judge the rest of. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict, Field

from ring.settings.distributed import DistributedSettings
from ring.settings.members import Member, NoSuchMemberError, find_member, member_of
from ring.settings.monitoring import WatchSettings
from ring.settings.sections import MappingSettings, MemberSettings, TableSettings, TombstoneSettings

_SECTIONS = ("table", "tombstones", "mapping", "watch", "distributed", "hops")


class PartialSettings(BaseModel):
    """As much of the settings as is sound by itself, so that the rest of it can be judged too."""

    model_config = ConfigDict(extra="forbid")

    table: TableSettings | None = None
    members: dict[int, MemberSettings] = Field(default_factory=dict)
    """The sound ones, by their place in the list."""
    listed_count: int | None = None
    """How many are listed, sound or not; None if there is no list."""
    tombstones: TombstoneSettings | None = TombstoneSettings()
    mapping: MappingSettings | None = MappingSettings()
    watch: WatchSettings | None = WatchSettings()
    distributed: DistributedSettings | None = DistributedSettings()
    hops: tuple[str, ...] | None = None

    @classmethod
    def from_config(
        cls, config: Mapping[str, object], wrong: Sequence[tuple[int | str, ...]]
    ) -> PartialSettings:
        """Keep what no wrong place lies in. A wrong member does not take the others with it."""
        unsound = {place[0] for place in wrong if place[0] != "members" or len(place) == 1}
        parts = {key: config[key] for key in _SECTIONS if key in config}
        parts |= {key: None for key in parts if key in unsound}
        listed = config.get("members")
        if isinstance(listed, list | tuple):
            bad = {place[1] for place in wrong if place[0] == "members" and len(place) > 1}
            parts["members"] = {at: one for at, one in enumerate(listed) if at not in bad}
            parts["listed_count"] = len(listed)
        return cls.model_validate(parts)

    def members_by_path(self) -> dict[str, Member]:
        """The sound members, by their path in the settings."""
        default = self.table.name if self.table else ""
        return {f"members[{at}]": member_of(one, default) for at, one in self.members.items()}

    def all_members(self) -> list[Member] | None:
        """All members; None where one of them is wrong by itself."""
        members = list(self.members_by_path().values())
        return members if len(members) == self.listed_count else None

    def hop_sources(self) -> list[Member] | None:
        """The members at which the stack's hops start; None where that is not known."""
        members = self.all_members()
        if members is None:
            return None
        try:
            chosen = {find_member(members, word) for word in self.hops or ()}
        except NoSuchMemberError:
            return None
        return [member for member in members if self.hops is None or member in chosen]
