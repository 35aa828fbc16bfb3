"""Errors of operations, by what the operator has to do about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ring.settings.errors import SettingProblem


class OperateError(Exception):
    """Base class of all errors of operations. Its text is for the operator."""


class InvalidRequestError(OperateError):
    """Invalid use or invalid settings; nothing was changed. `problems` are the invalid settings."""

    def __init__(self, text: str, problems: Sequence[SettingProblem] = ()) -> None:
        super().__init__(text)
        self.problems = tuple(problems)


class PrerequisiteError(OperateError):
    """A missing prerequisite: the CLI, a package, a login, credentials."""


class OperationFailedError(OperateError):
    """The attempt failed. `notes` are the messages of the engine and its providers.

    `advice` says what to do about them; the text ends with it.
    """

    def __init__(self, text: str, notes: Sequence[Note] = (), advice: str = "") -> None:
        super().__init__(f"{text}\n{advice}" if advice else text)
        self.notes = tuple(notes)
        self.advice = advice


class CancelledError(OperationFailedError):
    """The operation was cancelled: work in progress was finished and recorded, no more started."""


@dataclass(frozen=True)
class Note:
    """Message of the engine, a provider or the program. `resource` is its name, if any."""

    severity: str
    text: str
    resource: str = ""
