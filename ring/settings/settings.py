"""A stack's settings, read from Pulumi's configuration and validated as a whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated

from pulumi.runtime import config as pulumi_config
from pydantic import Field, ValidationError

from ring.settings.distributed import DistributedSettings
from ring.settings.errors import SettingProblem, SettingsError, from_pydantic_error
from ring.settings.monitoring import MonitoringSettings
from ring.settings.partial import PartialSettings
from ring.settings.rules import check_rules
from ring.settings.sections import (
    FunctionSettings,
    HeartbeatSettings,
    MappingSettings,
    MemberSettings,
    SettingsModel,
    TableSettings,
    TombstoneSettings,
)
from ring.settings.types import Tags

__all__ = ["NAMESPACE", "SettingProblem", "Settings", "SettingsError", "read_settings"]

NAMESPACE = "dynamodb-ring"
"""The part before the colon of the ring's keys in a stack's configuration."""


class Settings(SettingsModel):
    """The settings of a stack. `parse` creates them, and validates them as a whole."""

    table: TableSettings
    members: tuple[MemberSettings, ...]
    """In ring order: each has a hop to the next, the last one to the first."""
    tombstones: TombstoneSettings = TombstoneSettings()
    mapping: MappingSettings = MappingSettings()
    function: FunctionSettings = FunctionSettings()
    monitoring: MonitoringSettings = MonitoringSettings()
    heartbeat: HeartbeatSettings = HeartbeatSettings()
    distributed: DistributedSettings = DistributedSettings()
    hops: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """The members whose hops this stack deploys. Default: all."""
    tags: Tags = Field(default_factory=dict)
    """Applied to every resource that supports tags."""

    @classmethod
    def parse(cls, config: Mapping[str, object]) -> Settings:
        """Validate a mapping of sections, whose keys have no namespace.

        SettingsError lists all problems at once. A rule between several values is checked once each
        of them is valid by itself.
        """
        problems: list[SettingProblem] = []
        paths: list[tuple[int | str, ...]] = []
        try:
            settings = cls.model_validate(config)
        except ValidationError as error:
            for details in error.errors():
                problems.append(from_pydantic_error(details, cls))
                paths.append(details["loc"])
        problems += check_rules(PartialSettings.from_config(config, paths))
        if problems:
            raise SettingsError(problems)
        return settings


def read_settings() -> Settings:
    """Read the settings of the stack that is being deployed. SettingsError as in `Settings.parse`.

    pulumi.Config returns values of known keys only, so a misspelled key is found by reading the
    whole configuration.
    """
    config = pulumi_config.get_config_env() | pulumi_config.CONFIG.get()
    prefix = f"{NAMESPACE}:"
    return Settings.parse(
        {
            key.removeprefix(prefix): decode_value(text)
            for key, text in config.items()
            if key.startswith(prefix)
        }
    )


def decode_value(text: object) -> object:
    """Parse a value: Pulumi passes mappings and lists as JSON.

    Text that is not valid JSON, or beyond Python's limits of nesting and digits, stays text.
    """
    try:
        return json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        return text
