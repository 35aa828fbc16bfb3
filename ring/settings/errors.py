"""Errors in a stack's settings, with reasons and fixes."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import pulumi
from pydantic import BaseModel
from pydantic_core import PydanticCustomError

from ring.text import counted, shortened

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_WIDTH = 72  # longer values are cut; the key says where to look


@dataclass(frozen=True)
class SettingProblem:
    """One invalid setting.

    `key` is a path such as `members[1].region`; `value` is the value found there, None if there is
    none; `reason` says why it is invalid; `remedy` says what to write instead.
    """

    key: str
    value: object
    reason: str
    remedy: str

    def __str__(self) -> str:
        setting = f"{self.key}: {_shown(self.value)}"
        return f"{setting}\n    reason: {self.reason}\n    fix:    {self.remedy}"


class SettingsError(pulumi.RunError):
    """Invalid settings. `problems` has every error found, and the text lists them.

    It is a RunError, because Pulumi prints such an error's text without a traceback.
    """

    def __init__(self, problems: Sequence[SettingProblem]) -> None:
        self.problems = list(problems)
        count = counted(len(problems), "error")
        entries = "\n\n".join(f"  {problem}" for problem in problems)
        super().__init__(f"{count} in the settings, nothing was deployed.\n\n{entries}\n")


def reject(reason: str, remedy: str) -> PydanticCustomError:
    """Return an error for a validator to raise. `from_pydantic_error` reads reason and remedy."""
    return PydanticCustomError("rejected", "{reason}", {"reason": reason, "remedy": remedy})


def did_you_mean(word: str, known: Iterable[str], *, among: str) -> str:
    """Return a sentence that suggests the known word closest to `word`, or lists all of them."""
    words = list(known)
    # difflib rates us-west-1 and us-east-1 as equally close to `us-esat-1`, so a swap goes first.
    swapped = [known_word for known_word in words if known_word in _swapped(word)]
    close = swapped or difflib.get_close_matches(word, words, n=1)
    if close:
        return f"Did you mean `{close[0]}`?"
    return f"{among}: {', '.join(f'`{known_word}`' for known_word in words)}."


def _swapped(word: str) -> set[str]:
    """Return all variants of a word with two adjacent letters swapped."""
    return {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)}


def from_pydantic_error(error: ErrorDetails, model: type[BaseModel]) -> SettingProblem:
    """Translate one of pydantic's errors about `model` into the words of the settings."""
    found = None if error["type"] == "missing" else error["input"]
    reason, remedy = _words(error, model)
    return SettingProblem(path(error["loc"]), found, reason, remedy)


def path(steps: Iterable[int | str]) -> str:
    """Write `("members", 1, "region")` as `members[1].region`."""
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step != "[key]":  # pydantic's mark for an error in a key, which is the step before
            text += f".{step}" if text else step
    return text


# pydantic's error types -> reason and remedy, formatted with the error's context.
# https://docs.pydantic.dev/latest/errors/validation_errors/
_REFERENCE = "All settings: docs/reference/settings.md."
_INTEGER = ("a whole number is required", "Write digits only, without quotes.")
_BOOLEAN = ("true or false is required", "Write true or false, without quotes.")
_MAPPING = ("a mapping is required", "Write indented `name: value` lines under it.")
_KNOWN: dict[str, tuple[str, str]] = {
    "rejected": ("{reason}", "{remedy}"),
    "missing": (
        "it is required and has no default",
        "Add it; all settings: docs/reference/settings.md.",
    ),
    "string_type": ("text is required", "Write text; put a number in quotes."),
    "string_too_long": ("at most {max_length} characters are allowed", "Shorten it."),
    "int_type": _INTEGER,
    "bool_type": _BOOLEAN,
    "model_type": _MAPPING,
    "dict_type": _MAPPING,
    "tuple_type": ("a list is required", "Write each entry on a line that begins with `- `."),
    "literal_error": ("it is not one of the allowed values", "Write {expected}."),
    "greater_than_equal": ("it is below the minimum of {ge}", "Write {ge} or more."),
    "less_than_equal": ("it is above the maximum of {le}", "Write {le} or less."),
    "too_short": ("the list is empty", "Leave it out, or add an entry."),
    "too_long": (
        "there are {actual_length} entries, at most {max_length} are allowed",
        "Keep at most {max_length}.",
    ),
}


def _words(error: ErrorDetails, model: type[BaseModel]) -> tuple[str, str]:
    if error["type"] == "extra_forbidden":
        *parent, word = error["loc"]
        known = _model_at(parent, model).model_fields
        return "there is no such setting", did_you_mean(str(word), known, among="Settings here")
    reason, remedy = _KNOWN.get(error["type"], (error["msg"], _REFERENCE))
    context = error.get("ctx", {})
    return reason.format_map(context), remedy.format_map(context)


def _model_at(steps: Iterable[int | str], model: type[BaseModel]) -> type[BaseModel]:
    """Return the model at a path; steps into a list change nothing."""
    for step in steps:
        if isinstance(step, str):
            model = _model_in(model.model_fields[step].annotation)
    return model


def _model_in(annotation: Any) -> type[BaseModel]:
    """Return the model inside `Model`, `Model | None` or `tuple[Model, ...]`."""
    parts = (annotation, *get_args(annotation))
    return next(part for part in parts if isinstance(part, type) and issubclass(part, BaseModel))


def _shown(value: object) -> str:
    if value is None:
        return "not set"
    try:
        text = json.dumps(value, default=str, ensure_ascii=False)
    except (ValueError, RecursionError):  # a number or nesting beyond Python's limits
        text = "(too long or too deep to show)"
    return shortened(text, _WIDTH)
