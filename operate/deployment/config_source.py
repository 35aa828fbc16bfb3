"""Sources of a ring's configuration: settings, stack file, Pulumi backend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pulumi.automation import Stack

from operate.deployment.workspace import Program, program_in, program_with, short_name
from operate.errors import InvalidRequestError
from ring.program import build
from ring.settings.errors import SettingsError
from ring.settings.settings import Settings
from ring.settings.stack_file import StackFile, StackFileError, ring_settings


@dataclass(frozen=True)
class StateBackend:
    """URL of Pulumi's state backend and of the provider that encrypts secrets. None: the default.

    https://www.pulumi.com/docs/iac/concepts/state-and-backends/
    """

    url: str | None = None
    secrets_provider: str | None = None


@dataclass(frozen=True)
class SettingsSource:
    """Settings of a ring: `given` ones, or those of the stack's file in the project's `folder`.

    `override` replaces both: settings that the file does not have yet.
    """

    name: str
    folder: Path | None
    given: Settings | None
    override: Settings | None = None

    @property
    def is_encrypted(self) -> bool:
        """Whether only the CLI can read the settings, with `read_from`."""
        if self.override or self.given or not self.folder:
            return False
        return bool(load_stack_file(self.folder, self.name).secrets)

    def read(self) -> Settings:
        """Return settings that are not encrypted. Raises `InvalidRequestError` with all errors."""
        if settings := self.override or self.given:
            return settings
        if self.folder is None:
            raise InvalidRequestError(
                f"The ring {self.name} has no settings: pass them, a ring file, or the folder with "
                "its stack's file."
            )
        return parse_settings(load_stack_file(self.folder, self.name).settings)

    def read_from(self, stack: Stack) -> Settings:
        """Return the settings, decrypted by the CLI where they are encrypted."""
        if not self.is_encrypted:
            return self.read()
        config = stack.get_all_config()
        return parse_settings(ring_settings({key: value.value for key, value in config.items()}))

    def program(self) -> Program | None:
        """Return the Pulumi program that deploys the settings."""
        if self.folder:
            program = program_in(self.folder)
            return program_with(program, self.override) if self.override else program
        settings = self.override or self.given
        return partial(_build, settings) if settings else None


def _build(settings: Settings) -> None:
    build(settings)


def parse_settings(config: Mapping[str, Any]) -> Settings:
    """Parse the sections of the settings. Raises `InvalidRequestError` with all errors."""
    try:
        return Settings.parse(config)
    except SettingsError as error:
        raise InvalidRequestError(str(error), error.problems) from error


def load_stack_file(folder: Path, name: str) -> StackFile:
    """Read a stack's file in a project's folder. Raises `InvalidRequestError`."""
    try:
        return StackFile.read(folder, short_name(name))
    except StackFileError as error:
        raise InvalidRequestError(str(error)) from error
