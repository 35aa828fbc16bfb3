"""What is wished of a ring: its settings, where they stand, and how its state is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from operate.deployment.workspace import short_name
from operate.errors import InvalidRequestError
from ring.settings.errors import SettingsError
from ring.settings.settings import Settings
from ring.settings.stack_file import StackFile, StackFileError


@dataclass(frozen=True)
class StateBackend:
    """How Pulumi keeps the state: at which URL, and what encrypts its secrets. Default: as usual.

    https://www.pulumi.com/docs/iac/concepts/state-and-backends/
    """

    backend: str | None = None
    secrets_provider: str | None = None


def parse_settings(config: Mapping[str, Any]) -> Settings:
    """Settings from a mapping of the sections. InvalidRequestError tells all mistakes."""
    try:
        return Settings.parse(config)
    except SettingsError as error:
        raise InvalidRequestError(str(error), error.problems) from error


def load_stack_file(folder: Path, name: str) -> StackFile:
    """A stack's file in a project's folder. Raises `InvalidRequestError`."""
    try:
        return StackFile.read(folder, short_name(name))
    except StackFileError as error:
        raise InvalidRequestError(str(error)) from error
