"""What can go wrong in an operation, by what the operator has to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ring.settings.errors import SettingProblem


class OperateError(Exception):
    """The root of all errors of operations. Its text is meant for the operator."""


class InvalidRequestError(OperateError):
    """What was asked for cannot be: wrong use or wrong settings. Nothing was changed.

    `mistakes` are the wrong settings, if it is they.
    """

    def __init__(self, text: str, problems: Sequence[SettingProblem] = ()) -> None:
        super().__init__(text)
        self.problems = tuple(problems)


class PrerequisiteError(OperateError):
    """Something that is needed is not there: the CLI, a package, a login, credentials."""


class OperationFailedError(OperateError):
    """It was tried and failed. `notes` is what the engine and the providers said."""

    def __init__(self, text: str, notes: Sequence[Note] = ()) -> None:
        super().__init__(text)
        self.notes = tuple(notes)


class CancelledError(OperationFailedError):
    """It was cancelled: what was begun is finished and recorded, the rest not begun."""


@dataclass(frozen=True)
class Note:
    """Something that the engine, a provider or the program said. `resource` is its name, if any."""

    severity: str
    text: str
    resource: str = ""
