"""A stack's settings file, `Pulumi.<stack>.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ring.settings.settings import NAMESPACE, decode_value
from ring.settings.yaml_text import YamlError, read_yaml


class StackFileError(Exception):
    """A stack's file cannot be read. The text says which one and why."""


@dataclass(frozen=True)
class StackFile:
    """A stack's configuration in its file: values by keys, secrets encrypted."""

    path: Path
    config: Mapping[str, Any]

    @classmethod
    def read(cls, directory: Path, name: str) -> StackFile:
        """Read a stack's file in a project's directory. Raises `StackFileError`."""
        path = directory / f"Pulumi.{name}.yaml"
        try:
            document = read_yaml(path, as_pulumi=True) or {}
        except FileNotFoundError as error:
            raise StackFileError(no_stack_file(path)) from error
        except (YamlError, OSError) as error:
            raise StackFileError(f"Cannot read {path}: {error}") from error
        config = document.get("config") if isinstance(document, dict) else None
        if not isinstance(config, dict):
            raise StackFileError(f"{path} has no mapping `config:`, which holds the settings.")
        return cls(path, config)

    @property
    def secrets(self) -> list[str]:
        """The keys of encrypted or partly encrypted values."""
        return [key for key, value in self.config.items() if _is_secret(value)]

    @property
    def settings(self) -> dict[str, Any]:
        """The ring's settings, without the namespace of their keys."""
        return ring_settings(self.config)


def no_stack_file(path: Path) -> str:
    """Return a message that a stack has no file, with the stacks that have one."""
    stacks = sorted(found.name.split(".")[1] for found in path.parent.glob("Pulumi.*.yaml"))
    return f"There is no {path.name} in {path.parent}. Stacks in it: {', '.join(stacks) or 'none'}."


def ring_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ring's part of a stack's configuration, without the namespace of its keys.

    A mapping or list can be text in JSON, as `pulumi new` and `pulumi config set` write it.
    """
    prefix = f"{NAMESPACE}:"
    return {
        key.removeprefix(prefix): decode_value(value)
        for key, value in config.items()
        if key.startswith(prefix)
    }


def _is_secret(value: Any) -> bool:
    match value:
        case {"secure": str(), **rest} if not rest:
            return True
        case dict():
            return any(_is_secret(part) for part in value.values())
        case list():
            return any(_is_secret(part) for part in value)
    return False
