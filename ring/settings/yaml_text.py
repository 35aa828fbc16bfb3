"""YAML that a person has written, read so that no text of it is a trap.

PyYAML itself takes duplicate keys, keys that are no text and anchors that contain themselves; it
lets a few lines of aliases stand for billions of values, and fails by Python's own errors where
nesting is deep or a number is long.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import yaml

_LARGEST = 1_000_000
_DEEPEST = 50
_MOST = 50_000
"""Values: some 1,500 rings have as many, and PyYAML takes seconds for them."""
_DIGITS = 40
_TEXT = "tag:yaml.org,2002:str"
_MERGE = "tag:yaml.org,2002:merge"


class YamlError(ValueError):
    """A text cannot be read. Says why, and in which line."""


def read_yaml(path: Path) -> Any:
    """Read a file. Raises `YamlError`, and `OSError` as opening it does."""
    with path.open("rb") as file:
        text = file.read(_LARGEST + 1)
    if len(text) > _LARGEST:
        raise YamlError(f"it is larger than {_LARGEST // 1_000_000} MB, which no settings are")
    try:
        return parse_yaml(text.decode())
    except UnicodeDecodeError as error:
        raise YamlError(f"it is not UTF-8: {error}") from error


def parse_yaml(text: str) -> Any:
    """Read a text. Raises `YamlError`."""
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _Judge().judge(node)
        return loader.construct_document(node)
    except yaml.YAMLError as error:
        raise YamlError(str(error)) from error
    except RecursionError as error:
        raise YamlError("it is nested too deeply") from error
    except (ValueError, OverflowError) as error:  # a date that is none, for example
        raise YamlError(f"a value in it is none: {error}") from error


class _Loader(yaml.SafeLoader):
    """A safe loader that takes no deep nesting, and no number that nobody means."""

    _level = _count = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self._level += 1
        self._count += 1
        if self._level > _DEEPEST or self._count > _MOST:
            deep = f"it is nested more than {_DEEPEST} levels deep"
            many = f"it has more than {_MOST:,} values"
            event: Any = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(
                problem=deep if self._level > _DEEPEST else many, problem_mark=event.start_mark
            )
        try:
            return super().compose_node(parent, index)
        finally:
            self._level -= 1

    def construct_number(self, node: yaml.ScalarNode) -> int | float:
        if len(node.value) > _DIGITS:
            raise _problem(node, f"a number of {len(node.value)} characters is too long")
        whole = node.tag.endswith(":int")
        number: int | float
        number = self.construct_yaml_int(node) if whole else self.construct_yaml_float(node)
        if not math.isfinite(number):
            raise _problem(node, f"{node.value} is no number that a setting can have")
        return number


for _kind in ("int", "float"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _Loader.construct_number)


class _Judge:
    """Goes through a document as it is written, each part once, however often an alias names it."""

    def __init__(self) -> None:
        self._sizes: dict[yaml.Node, tuple[int, int]] = {}
        self._open: set[yaml.Node] = set()

    def judge(self, node: yaml.Node) -> tuple[int, int]:
        """How many values stand here and how deep, where every alias is written out.

        Raises MarkedYAMLError for more than can be meant, and for what cannot be.
        """
        if node in self._open:
            raise _problem(node, "it contains itself, by an alias")
        if node not in self._sizes:
            self._open.add(node)
            parts = [self.judge(part) for part in _parts(node)]
            self._open.remove(node)
            size = 1 + sum(size for size, _ in parts)
            depth = 1 + max((depth for _, depth in parts), default=0)
            if size > _MOST or depth > _DEEPEST:
                raise _problem(node, "written out, its aliases stand for too many values")
            self._sizes[node] = size, depth
        return self._sizes[node]


def _parts(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        return list(node.value)
    if not isinstance(node, yaml.MappingNode):
        return []
    names: set[str] = set()
    for key, _ in node.value:
        if key.tag not in (_TEXT, _MERGE):
            shown = f"`{key.value}`" if isinstance(key, yaml.ScalarNode) else "a list or mapping"
            raise _problem(key, f"a key must be text, and {shown} is none; put it between quotes")
        if key.value in names:
            raise _problem(key, f"the key `{key.value}` is there twice")
        names.add(key.value)
    return [value for _, value in node.value]


def _problem(node: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
