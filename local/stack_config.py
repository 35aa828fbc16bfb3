"""A stack's configuration, read from its Pulumi file or given as a mapping."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ring.settings.settings import NAMESPACE
from ring.settings.stack_file import StackFile, StackFileError, ring_settings

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class StackConfig:
    """A stack and its configuration: values by keys such as `dynamodb-ring:table`."""

    name: str
    config: Mapping[str, Any]

    @classmethod
    def read(cls, directory: Path, name: str) -> StackConfig:
        """Read `Pulumi.<name>.yaml` in a project's directory.

        Raises `StackFileError`, also for an encrypted value.
        """
        file = StackFile.read(directory, name)
        for key in file.secrets:
            raise StackFileError(
                f"{file.path}: {key} is encrypted (`secure:`), and a local ring cannot decrypt it. "
                "Use a stack file with a plain value for the local ring; any value will do."
            )
        return cls(name, file.config)

    @classmethod
    def of(cls, settings: Mapping[str, Any], name: str = "local") -> StackConfig:
        """Create a stack from settings whose keys have no namespace."""
        return cls(name, {f"{NAMESPACE}:{key}": value for key, value in settings.items()})

    @property
    def settings(self) -> dict[str, Any]:
        """The ring's settings, by keys without the namespace."""
        return ring_settings(self.config)

    def with_settings(self, settings: Mapping[str, Any]) -> StackConfig:
        """Return the stack with other settings of its ring; the rest of its configuration stays."""
        others = {
            key: value for key, value in self.config.items() if not key.startswith(f"{NAMESPACE}:")
        }
        return StackConfig(self.name, {**others, **self.of(settings).config})

    def with_default(self, section: str, name: str, *, value: Any) -> StackConfig:
        """Return the stack with a setting of a section, unless it has that setting itself."""
        given = self.settings.get(section, {})
        if not isinstance(given, Mapping):
            return self  # wrong, which is reported where the settings are parsed
        return self.with_settings({**self.settings, section: {name: value, **given}})

    def encoded(self) -> dict[str, str]:
        """Return the configuration as Pulumi passes it to a program: as text or JSON."""
        return {
            key: value if isinstance(value, str) else json.dumps(value, default=str)
            for key, value in self.config.items()
        }
