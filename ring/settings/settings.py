"""A stack's settings: read from Pulumi's configuration, judged as a whole, then never changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated

from pulumi.runtime import config as pulumi_config
from pydantic import Field, ValidationError

from ring.settings.distributed import DistributedSettings
from ring.settings.errors import SettingProblem, SettingsError, from_pydantic_error
from ring.settings.monitoring import WatchSettings
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
"""What stands before the colon in a stack's configuration."""


class Settings(SettingsModel):
    """What a stack deploys. Make one with `parse`, which judges it as a whole."""

    table: TableSettings
    members: tuple[MemberSettings, ...]
    """In ring order: each one's hop goes to the next, the last one's to the first."""
    tombstones: TombstoneSettings = TombstoneSettings()
    mapping: MappingSettings = MappingSettings()
    function: FunctionSettings = FunctionSettings()
    watch: WatchSettings = WatchSettings()
    heartbeat: HeartbeatSettings = HeartbeatSettings()
    distributed: DistributedSettings = DistributedSettings()
    hops: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """The members whose hops this stack deploys. Default: all."""
    tags: Tags = Field(default_factory=dict)
    """Put on everything that can carry tags."""

    @classmethod
    def parse(cls, config: Mapping[str, object]) -> Settings:
        """Read the settings from a mapping of the sections, without a namespace before the keys.

        SettingsError tells all mistakes at once. Only what compares several values waits until
        each of them is sound by itself.
        """
        mistakes: list[SettingProblem] = []
        places: list[tuple[int | str, ...]] = []
        try:
            settings = cls.model_validate(config)
        except ValidationError as error:
            for wrong in error.errors():
                mistakes.append(from_pydantic_error(wrong, cls))
                places.append(wrong["loc"])
        mistakes += check_rules(PartialSettings.from_config(config, places))
        if mistakes:
            raise SettingsError(mistakes)
        return settings


def read_settings() -> Settings:
    """The settings of the stack that is being deployed. SettingsError as in `Settings.parse`.

    pulumi.Config can only be asked for keys that one knows already; a misspelt key is found by
    going through all that were given.
    """
    given = pulumi_config.get_config_env() | pulumi_config.CONFIG.get()
    start = f"{NAMESPACE}:"
    return Settings.parse(
        {
            key.removeprefix(start): decode_value(text)
            for key, text in given.items()
            if key.startswith(start)
        }
    )


def decode_value(text: object) -> object:
    """A value as it was written: Pulumi hands a mapping or a list over as JSON.

    What cannot be read so (also for its depth, or the length of a number) is a text.
    """
    try:
        return json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        return text
