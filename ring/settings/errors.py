"""What is wrong with a stack's settings, told so that it can be put right."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import pulumi
from pydantic import BaseModel
from pydantic_core import PydanticCustomError

from ring.text import counted

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_WIDTH = 72  # a longer value is cut when it is shown; the key tells where to look


@dataclass(frozen=True)
class SettingProblem:
    """One wrong setting.

    `key` is a path such as `members[1].region`; `value` is what was found there, None when
    nothing was; `reason` says why it cannot be; `remedy` says what to write instead.
    """

    key: str
    value: object
    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.key}: {_shown(self.value)}\n    why:  {self.reason}\n    then: {self.remedy}"


class SettingsError(pulumi.RunError):
    """The settings cannot be deployed; `mistakes` holds every mistake found, and str tells all.

    It is a RunError because Pulumi prints such an error's text and no traceback.
    """

    def __init__(self, problems: Sequence[SettingProblem]) -> None:
        self.problems = list(problems)
        count = counted(len(problems), "mistake")
        told = "\n\n".join(f"  {mistake}" for mistake in problems)
        super().__init__(f"{count} in the settings, nothing was deployed.\n\n{told}\n")


def escape_unprintable(text: str) -> str:
    """A text that somebody else has written, fit for a terminal: on one line, without codes."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )


def reject(reason: str, remedy: str) -> PydanticCustomError:
    """An error for a validator to raise, carrying the reason and the remedy to `explain`."""
    return PydanticCustomError("refusal", "{reason}", {"reason": reason, "remedy": remedy})


def did_you_mean(word: str, known: Iterable[str], *, among: str) -> str:
    """A sentence that offers the known word nearest to `word`, or else all of them."""
    words = list(known)
    # To difflib `us-esat-1` is as near to us-west-1 as to us-east-1, where two letters are swapped.
    swapped = [one for one in words if one in _swapped(word)]
    alike = swapped or difflib.get_close_matches(word, words, n=1)
    if alike:
        return f"Did you mean `{alike[0]}`?"
    return f"{among}: {', '.join(f'`{one}`' for one in words)}."


def _swapped(word: str) -> set[str]:
    """All that becomes of a word when two neighbours change places."""
    return {word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(len(word) - 1)}


def from_pydantic_error(error: ErrorDetails, model: type[BaseModel]) -> SettingProblem:
    """Tell one of pydantic's errors about `model` in the words of the settings."""
    found = None if error["type"] == "missing" else error["input"]
    reason, remedy = _words(error, model)
    return SettingProblem(path(error["loc"]), found, reason, remedy)


def path(steps: Iterable[int | str]) -> str:
    """Write `("members", 1, "region")` as `members[1].region`."""
    told = ""
    for step in steps:
        if isinstance(step, int):
            told += f"[{step}]"
        elif step != "[key]":  # pydantic's mark for "the key itself", which is the step before
            told += f".{step}" if told else step
    return told


# pydantic's error types -> why it cannot be, and what to write. Filled in from the error's context.
# https://docs.pydantic.dev/latest/errors/validation_errors/
_TABLE = "README.md has a table of all settings."
_WHOLE = ("this must be a whole number", "Write digits alone, without quotes.")
_TRUTH = ("this is either on or off", "Write true or false, without quotes.")
_KEYED = ("settings with names belong here", "Write `name: value` lines beneath it.")
_KNOWN: dict[str, tuple[str, str]] = {
    "refusal": ("{reason}", "{remedy}"),
    "missing": (
        "it has no default and must be given",
        "Add it; README.md has a table of settings.",
    ),
    "string_type": ("this must be text", "Write a word; a number goes between quotes."),
    "string_too_long": ("at most {max_length} characters are allowed", "Shorten it."),
    "int_type": _WHOLE,
    "bool_type": _TRUTH,
    "model_type": _KEYED,
    "dict_type": _KEYED,
    "tuple_type": ("a list belongs here", "Write each entry on a line that begins with `- `."),
    "literal_error": ("it is none of the values that are known here", "Write {expected}."),
    "greater_than_equal": ("it is below the smallest value allowed", "Write {ge} or more."),
    "less_than_equal": ("it is above the largest value allowed", "Write {le} or less."),
    "too_short": ("an empty list says nothing", "Leave it out, or write what belongs in it."),
    "too_long": ("{actual_length} are too many", "Keep {max_length} at most."),
}


def _words(error: ErrorDetails, model: type[BaseModel]) -> tuple[str, str]:
    if error["type"] == "extra_forbidden":
        *place, word = error["loc"]
        known = _model_at(place, model).model_fields
        return "there is no such setting", did_you_mean(str(word), known, among="Known here")
    reason, remedy = _KNOWN.get(error["type"], (error["msg"], _TABLE))
    context = error.get("ctx", {})
    return reason.format_map(context), remedy.format_map(context)


def _model_at(place: Iterable[int | str], model: type[BaseModel]) -> type[BaseModel]:
    """The model whose setting stands at this place; steps into a list change nothing."""
    for step in place:
        if isinstance(step, str):
            model = _model_in(model.model_fields[step].annotation)
    return model


def _model_in(annotation: Any) -> type[BaseModel]:
    """The model inside `Model`, `Model | None` or `tuple[Model, ...]`."""
    parts = (annotation, *get_args(annotation))
    return next(one for one in parts if isinstance(one, type) and issubclass(one, BaseModel))


def _shown(value: object) -> str:
    if value is None:
        return "not given"
    try:
        text = json.dumps(value, default=str, ensure_ascii=False)
    except (ValueError, RecursionError):  # a number, or a nesting, that is beyond Python
        text = "what is too long or too deep to be shown"
    return text if len(text) <= _WIDTH else text[: _WIDTH - 3] + "..."
