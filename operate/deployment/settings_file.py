"""Change one value in a settings file and leave the rest as it is.

The file is not generated from the parsed document, which would lose comments, order and spacing:
the value is inserted at the parser's position, and the result is parsed again and compared.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from operate.atomic_file import replace_text
from operate.errors import InvalidRequestError

Steps = Sequence[str | int]
"""Path in a document: keys, and indexes in lists."""


@dataclass(frozen=True)
class MembersLocation:
    """Location of the list of a ring's members: a file, and the path in it."""

    path: Path
    steps: Steps


@dataclass(frozen=True)
class Edit:
    """A file's text before and after a change.

    `steps` is the path of the settings in it that are deployed together.
    """

    path: Path
    before: str
    after: str
    steps: Steps = ()

    @property
    def diff(self) -> str:
        """The change as `diff -u` shows it; empty if there is none."""
        before, after = (text.splitlines() for text in (self.before, self.after))
        name = self.path.name
        return "\n".join(difflib.unified_diff(before, after, name, name, n=2, lineterm=""))

    @property
    def place(self) -> str:
        """The file's path."""
        return str(self.path)

    @property
    def is_written(self) -> bool:
        """Whether the file has the new text."""
        return _read(self.path) == self.after

    def ensure_kept(self) -> None:
        """Raise `InvalidRequestError` if the file has other settings than those of the new text.

        Whatever else is in it may have changed, as Pulumi adds its encryption settings.
        """
        if _settings_in(_read(self.path), self.steps) != _settings_in(self.after, self.steps):
            raise self._changed()

    def write(self) -> None:
        """Replace the file's text atomically.

        Raises `InvalidRequestError` if the file has changed since it was read.
        """
        if self.before == self.after:
            self.ensure_kept()
            return
        if _read(self.path) != self.before:
            raise self._changed()
        replace_text(self.path, self.after)

    def _changed(self) -> InvalidRequestError:
        return InvalidRequestError(
            f"{self.path} has been changed meanwhile. Run the command again: it continues from "
            "there."
        )


def edit_member(location: MembersLocation, index: int, setting: str, value: str | bool) -> Edit:
    """Set a setting of the member at an index of the list.

    Raises `InvalidRequestError`, with the line to write by hand, where the position of the value
    is ambiguous.
    """
    text = _read(location.path)
    steps = (*location.steps, index)
    try:
        after = with_value(text, steps, setting, value)
    except _NoPositionError as error:
        raise InvalidRequestError(
            f"{location.path} was not changed: {error}. Write `{setting}: {to_yaml(value)}` at "
            f"{'.'.join(str(step) for step in steps)} and run this command again: it continues "
            "from there."
        ) from error
    return Edit(location.path, text, after, location.steps[:-1])


class _NoPositionError(Exception):
    """The position of a value is ambiguous. The text says why."""


def with_value(text: str, steps: Steps, setting: str, value: str | bool) -> str:
    """Return a document's text with one setting of a mapping set. Pure."""
    wanted = _copy(yaml.safe_load(text))
    _mapping_at(wanted, steps)[setting] = value
    if _copy(yaml.safe_load(text)) == wanted:
        return text
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    for step in steps:
        node = _child(node, step)
    if not isinstance(node, yaml.MappingNode):
        raise _NoPositionError("the member is not written as a mapping")
    after = _set(text, node, setting, to_yaml(value))
    try:
        written = yaml.safe_load(after)
    except yaml.YAMLError as error:
        raise _NoPositionError("no line can be added to it as it is written") from error
    if written != wanted:
        raise _NoPositionError("an alias or a merge uses the same lines elsewhere")
    return after


def to_yaml(value: str | bool) -> str:
    """Format a value as YAML."""
    return value if isinstance(value, str) else json.dumps(value)


def _read(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def _settings_in(text: str, steps: Steps) -> Any:
    """Return the settings at a path, or None if nothing is there, or nothing that can be read."""
    try:
        value = yaml.safe_load(text)
        for step in steps:
            value = value[step]
    except (yaml.YAMLError, LookupError, TypeError):
        return None
    return value


def _copy(value: Any) -> Any:
    """Copy a value so that YAML aliases no longer share one object."""
    match value:
        case dict():
            return {key: _copy(part) for key, part in value.items()}
        case list():
            return [_copy(part) for part in value]
    return value


def _mapping_at(value: Any, steps: Steps) -> Any:
    for step in steps:
        try:
            value = value[step]
        except (LookupError, TypeError) as error:
            raise _NoPositionError(f"it has no `{step}` at the expected place") from error
    if not isinstance(value, dict):
        raise _NoPositionError("the member is not written as a mapping")
    return value


def _child(node: Any, step: str | int) -> Any:
    if isinstance(step, int) and isinstance(node, yaml.SequenceNode):
        return node.value[step]
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return value
    raise _NoPositionError(f"it has no `{step}` at the expected place")


def _set(text: str, node: yaml.MappingNode, setting: str, value: str) -> str:
    for key, old in node.value:
        if key.value == setting:
            return text[: old.start_mark.index] + value + text[old.end_mark.index :]
    key, last = node.value[-1] if node.flow_style else node.value[0]
    end = last.end_mark.index
    if node.flow_style:
        return f"{text[:end]}, {setting}: {value}{text[end:]}"
    if not isinstance(last, yaml.ScalarNode):
        # Above the first key: below it, a comment may belong to its value or to the next key.
        start = key.start_mark.index
        return f"{text[:start]}{setting}: {value}{_newline(text)}{_indent(key)}{text[start:]}"
    line = text.find("\n", end)
    if line < 0:
        return f"{text}{_newline(text)}{_indent(key)}{setting}: {value}"
    return f"{text[: line + 1]}{_indent(key)}{setting}: {value}{_newline(text)}{text[line + 1 :]}"


def _indent(key: yaml.Node) -> str:
    return " " * key.start_mark.column


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
