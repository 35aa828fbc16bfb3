"""What is wished of a ring: its settings, where they stand, and how its state is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from operate.deployment.workspace import short_name
from operate.errors import WrongError
from ring.settings.errors import SettingsError
from ring.settings.settings import Settings
from ring.settings.stack_file import StackFile, StackFileError


@dataclass(frozen=True)
class Keep:
    """How Pulumi keeps the state: at which URL, and what encrypts its secrets. Default: as usual.

    https://www.pulumi.com/docs/iac/concepts/state-and-backends/
    """

    backend: str | None = None
    secrets_provider: str | None = None


def parsed(config: Mapping[str, Any]) -> Settings:
    """Settings from a mapping of the sections. WrongError tells all mistakes."""
    try:
        return Settings.parse(config)
    except SettingsError as error:
        raise WrongError(str(error), error.mistakes) from error


def file_of(folder: Path, name: str) -> StackFile:
    """A stack's file in a project's folder. Raises `WrongError`."""
    try:
        return StackFile.read(folder, short_name(name))
    except StackFileError as error:
        raise WrongError(str(error)) from error
