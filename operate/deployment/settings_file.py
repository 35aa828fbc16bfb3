"""A change of one value in a settings file that leaves everything else in it as it is.

The file is not written anew from what was read: its comments, order and spacing are its owner's.
The value is put where the parser found its place, and what the file says afterwards is compared
with what it should.
"""

from __future__ import annotations

import difflib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import yaml

from operate.errors import InvalidRequestError

Steps = Sequence[str | int]
"""The way into a document: keys, and places in lists."""


@dataclass(frozen=True)
class MembersPlace:
    """Where the list of a ring's members stands: a file, and the steps to it."""

    path: Path
    steps: Steps


@dataclass(frozen=True)
class Edit:
    """A file's text as it is and as it is to be."""

    path: Path
    before: str
    after: str

    @property
    def diff(self) -> str:
        """What differs, as `diff -u` tells it; empty if nothing does."""
        before, after = (text.splitlines() for text in (self.before, self.after))
        name = self.path.name
        return "\n".join(difflib.unified_diff(before, after, name, name, n=2, lineterm=""))

    @property
    def is_written(self) -> bool:
        """Whether the file says by now what it is to say."""
        return _read(self.path) == self.after

    def write(self) -> None:
        """Put the text into the file, in one step: whoever reads it finds the old one or the new.

        InvalidRequestError if somebody has changed the file meanwhile.
        """
        if self.before == self.after:
            return
        if _read(self.path) != self.before:
            raise InvalidRequestError(
                f"{self.path} has been changed meanwhile. Run the command again."
            )
        there = self.path.resolve()  # a link stays a link
        with NamedTemporaryFile("w", dir=there.parent, delete=False, newline="", **_UTF8) as file:
            try:
                file.write(self.after)
                file.flush()
                os.fsync(file.fileno())
                shutil.copymode(there, file.name)
                Path(file.name).replace(there)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise


_UTF8: Any = {"encoding": "utf-8"}


def edit_member(place: MembersPlace, at: int, setting: str, value: str | bool) -> Edit:
    """Set a setting of the member at a place in the list.

    InvalidRequestError, with what to write by hand, if it stands where a careful edit cannot tell
    its place.
    """
    text = _read(place.path)
    steps = (*place.steps, at)
    try:
        after = with_value(text, steps, setting, value)
    except _NoPlaceError as error:
        raise InvalidRequestError(
            f"{place.path}: {error}, so it is not changed here. Write `{setting}: {told(value)}` "
            f"at {'.'.join(str(step) for step in steps)} yourself, and run this command again: it "
            "goes on with what it finds."
        ) from error
    return Edit(place.path, text, after)


class _NoPlaceError(Exception):
    """It is not plain where a value is to go. Its text says why."""


def with_value(text: str, steps: Steps, setting: str, value: str | bool) -> str:
    """A document's text with one setting of a mapping set. Pure."""
    wanted = _unshared(yaml.safe_load(text))
    _entered(wanted, steps)[setting] = value
    if _unshared(yaml.safe_load(text)) == wanted:
        return text
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    for step in steps:
        node = _child(node, step)
    if not isinstance(node, yaml.MappingNode):
        raise _NoPlaceError("it is no mapping that is written out")
    after = _set(text, node, setting, told(value))
    if yaml.safe_load(after) != wanted:
        raise _NoPlaceError("the same lines are read in another place too, by an alias or a merge")
    return after


def told(value: str | bool) -> str:
    """A value as YAML has it."""
    return value if isinstance(value, str) else json.dumps(value)


def _read(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def _unshared(value: Any) -> Any:
    """A value in which nothing stands in two places: YAML's aliases share what they name."""
    match value:
        case dict():
            return {key: _unshared(part) for key, part in value.items()}
        case list():
            return [_unshared(part) for part in value]
    return value


def _entered(value: Any, steps: Steps) -> Any:
    for step in steps:
        try:
            value = value[step]
        except (LookupError, TypeError) as error:
            raise _NoPlaceError(f"there is no `{step}` that is written out") from error
    if not isinstance(value, dict):
        raise _NoPlaceError("it is no mapping that is written out")
    return value


def _child(node: Any, step: str | int) -> Any:
    if isinstance(step, int) and isinstance(node, yaml.SequenceNode):
        return node.value[step]
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return value
    raise _NoPlaceError(f"there is no `{step}` that is written out")


def _set(text: str, node: yaml.MappingNode, setting: str, value: str) -> str:
    for key, old in node.value:
        if key.value == setting:
            return text[: old.start_mark.index] + value + text[old.end_mark.index :]
    key, last = node.value[-1] if node.flow_style else node.value[0]
    end = last.end_mark.index
    if node.flow_style:
        return f"{text[:end]}, {setting}: {value}{text[end:]}"
    if not isinstance(last, yaml.ScalarNode):
        # Above the first key: below it, its own lines would have to be told from comments.
        start = key.start_mark.index
        return f"{text[:start]}{setting}: {value}{_break(text)}{_indent(key)}{text[start:]}"
    line = text.find("\n", end)
    if line < 0:
        return f"{text}{_break(text)}{_indent(key)}{setting}: {value}"
    return f"{text[: line + 1]}{_indent(key)}{setting}: {value}{_break(text)}{text[line + 1 :]}"


def _indent(key: yaml.Node) -> str:
    return " " * key.start_mark.column


def _break(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
