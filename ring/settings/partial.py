"""The valid part of settings that have errors, so that rules can check it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict, Field

from ring.settings.distributed import DistributedSettings
from ring.settings.members import Member, NoSuchMemberError, find_member, member_of
from ring.settings.monitoring import MonitoringSettings
from ring.settings.sections import (
    FunctionSettings,
    HeartbeatSettings,
    MappingSettings,
    MemberSettings,
    TableSettings,
    TombstoneSettings,
)

_SECTIONS = (
    "table",
    "tombstones",
    "mapping",
    "function",
    "monitoring",
    "heartbeat",
    "distributed",
    "hops",
)


class PartialSettings(BaseModel):
    """The settings that are valid by themselves. None stands for an invalid section."""

    model_config = ConfigDict(extra="forbid")

    table: TableSettings | None = None
    members: dict[int, MemberSettings] = Field(default_factory=dict)
    """The valid ones, by their index in the list."""
    listed_count: int | None = None
    """The number of members listed, valid or not; None if there is no list."""
    tombstones: TombstoneSettings | None = TombstoneSettings()
    mapping: MappingSettings | None = MappingSettings()
    function: FunctionSettings | None = FunctionSettings()
    monitoring: MonitoringSettings | None = MonitoringSettings()
    heartbeat: HeartbeatSettings | None = HeartbeatSettings()
    distributed: DistributedSettings | None = DistributedSettings()
    hops: tuple[str, ...] | None = None

    @classmethod
    def from_config(
        cls, config: Mapping[str, object], errors: Sequence[tuple[int | str, ...]]
    ) -> PartialSettings:
        """Keep the sections, and the single members, without an error at a path within them."""
        invalid = {path[0] for path in errors if path[0] != "members" or len(path) == 1}
        parts = {key: config[key] for key in _SECTIONS if key in config}
        parts |= {key: None for key in parts if key in invalid}
        listed = config.get("members")
        if isinstance(listed, list | tuple):
            invalid_members = {path[1] for path in errors if path[0] == "members" and path[1:]}
            parts["members"] = {
                index: entry for index, entry in enumerate(listed) if index not in invalid_members
            }
            parts["listed_count"] = len(listed)
        return cls.model_validate(parts)

    def members_by_path(self) -> dict[str, Member]:
        """Return the valid members, by their path in the settings."""
        default = self.table.name if self.table else ""
        return {
            f"members[{index}]": member_of(entry, default) for index, entry in self.members.items()
        }

    def all_members(self) -> list[Member] | None:
        """Return all members; None if one of them is invalid."""
        members = list(self.members_by_path().values())
        return members if len(members) == self.listed_count else None

    def hop_sources(self) -> list[Member] | None:
        """Return the members at which the stack's hops start; None if that is unknown."""
        members = self.all_members()
        if members is None:
            return None
        try:
            sources = {find_member(members, word) for word in self.hops or ()}
        except NoSuchMemberError:
            return None
        return [member for member in members if self.hops is None or member in sources]
