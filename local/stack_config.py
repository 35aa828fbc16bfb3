"""A stack's configuration, read from its file as Pulumi reads it, or given as a mapping."""

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

        Raises `StackFileError`, also where something in it is encrypted.
        """
        file = StackFile.read(directory, name)
        for key in file.secrets:
            raise StackFileError(
                f"{file.path}: {key} is encrypted (`secure:`), and the key to it is Pulumi's. "
                "Write it as plain text in a stack file for this machine; a made-up value does."
            )
        return cls(name, file.config)

    @classmethod
    def of(cls, settings: Mapping[str, Any], name: str = "local") -> StackConfig:
        """Make a stack from settings without a namespace before their keys."""
        return cls(name, {f"{NAMESPACE}:{key}": value for key, value in settings.items()})

    @property
    def settings(self) -> dict[str, Any]:
        """The ring's own settings, without the namespace before their keys."""
        return ring_settings(self.config)

    def encoded(self) -> dict[str, str]:
        """Return the configuration as Pulumi hands it to a program: all that is no text as JSON."""
        return {
            key: value if isinstance(value, str) else json.dumps(value, default=str)
            for key, value in self.config.items()
        }
