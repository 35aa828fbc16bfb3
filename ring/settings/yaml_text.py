"""Strict and bounded YAML parser for files written by people.

PyYAML accepts duplicate keys, keys that are not text, anchors that contain themselves, and a few
lines of aliases that expand to billions of values. It raises Python's own errors for deep nesting
and long numbers. It also takes other words for numbers and truths than Pulumi, which reads a
stack's file when it deploys.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import yaml

_MAX_BYTES = 1_000_000
_MAX_DEPTH = 50
_MAX_VALUES = 50_000
"""As many as some 1,500 rings have; PyYAML takes seconds to read them."""
_MAX_NUMBER_LENGTH = 40
_TEXT_TAG = "tag:yaml.org,2002:str"
_MERGE_TAG = "tag:yaml.org,2002:merge"
_BOOL_TAG, _INT_TAG, _FLOAT_TAG = (f"tag:yaml.org,2002:{kind}" for kind in ("bool", "int", "float"))
_DATE_TAG = "tag:yaml.org,2002:timestamp"
_MAX_JSON_DIGITS = 1e21
"""Pulumi passes a whole number below it without a fraction, also one that is written with one."""


class YamlError(ValueError):
    """Invalid YAML. The text says why, and in which line."""


def read_yaml(path: Path, *, as_pulumi: bool = False) -> Any:
    """Read a file, or read it `as_pulumi` does.

    Raises `YamlError`, or `OSError` if it cannot be opened.
    """
    with path.open("rb") as file:
        text = file.read(_MAX_BYTES + 1)
    if len(text) > _MAX_BYTES:
        raise YamlError(f"it is larger than {_MAX_BYTES // 1_000_000} MB")
    try:
        return parse_yaml(text.decode(), as_pulumi=as_pulumi)
    except UnicodeDecodeError as error:
        raise YamlError(f"it is not UTF-8: {error}") from error


def parse_yaml(text: str, *, as_pulumi: bool = False) -> Any:
    """Parse a document, or parse it `as_pulumi` does. Raises `YamlError`."""
    try:
        loader = _PulumiLoader(text) if as_pulumi else _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _Checker().check(node)
        return loader.construct_document(node)
    except yaml.YAMLError as error:
        raise YamlError(str(error)) from error
    except RecursionError as error:
        raise YamlError("it is nested too deeply") from error
    except (ValueError, OverflowError) as error:  # an invalid date, for example
        raise YamlError(f"it has an invalid value: {error}") from error


class _Loader(yaml.SafeLoader):
    """Safe loader with limits for nesting, the number of values, and numbers."""

    _level = _count = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self._level += 1
        self._count += 1
        if self._level > _MAX_DEPTH or self._count > _MAX_VALUES:
            deep = f"it is nested more than {_MAX_DEPTH} levels deep"
            many = f"it has more than {_MAX_VALUES:,} values"
            event: Any = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(
                problem=deep if self._level > _MAX_DEPTH else many, problem_mark=event.start_mark
            )
        try:
            return super().compose_node(parent, index)
        finally:
            self._level -= 1

    def construct_number(self, node: yaml.ScalarNode) -> int | float:
        if len(node.value) > _MAX_NUMBER_LENGTH:
            raise _problem(node, f"a number of {len(node.value)} characters is too long")
        number = self.number_of(node)
        if not math.isfinite(number):
            raise _problem(node, f"{node.value} is not a finite number")
        return number

    def number_of(self, node: yaml.ScalarNode) -> int | float:
        is_int = node.tag == _INT_TAG
        number: int | float
        number = self.construct_yaml_int(node) if is_int else self.construct_yaml_float(node)
        return number


for _tag in (_INT_TAG, _FLOAT_TAG):
    _Loader.add_constructor(_tag, _Loader.construct_number)


class _PulumiLoader(_Loader):
    """Takes the same words for numbers and truths as Pulumi's parser.

    Otherwise settings would be valid here and not when they are deployed: `012345678901` is text to
    PyYAML and a number to Pulumi, and `yes` is true to PyYAML and text to Pulumi.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012 - as PyYAML declares it
        first: [one for one in resolvers if one[0] not in (_BOOL_TAG, _INT_TAG, _FLOAT_TAG)]
        for first, resolvers in _Loader.yaml_implicit_resolvers.items()
    }

    def number_of(self, node: yaml.ScalarNode) -> int | float:
        text = node.value.replace("_", "")
        if node.tag == _INT_TAG:
            return int(text, 8 if re.fullmatch("[-+]?0[0-7]+", text) else 0)
        number = float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        return int(number) if number.is_integer() and abs(number) < _MAX_JSON_DIGITS else number


# https://github.com/go-yaml/yaml/blob/v3/resolve.go
_PULUMI_WORDS = {
    _BOOL_TAG: ("true|True|TRUE|false|False|FALSE", "tTfF"),
    _INT_TAG: (
        "[-+]?(0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|0[0-7_]*|[1-9][0-9_]*)",
        "-+0123456789",
    ),
    _FLOAT_TAG: (
        r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9][0-9_]*)?"
        r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
    _DATE_TAG: ("[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}", "0123456789"),
}
for _tag, (_pattern, _first) in _PULUMI_WORDS.items():
    _PulumiLoader.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), list(_first))


class _Checker:
    """Checks a document before it is constructed. Visits each node once, despite aliases."""

    def __init__(self) -> None:
        self._sizes: dict[yaml.Node, tuple[int, int]] = {}
        self._open: set[yaml.Node] = set()

    def check(self, node: yaml.Node) -> tuple[int, int]:
        """Return the number of values in a node and their depth, with all aliases expanded.

        Raises MarkedYAMLError for too many values, recursive aliases and invalid keys.
        """
        if node in self._open:
            raise _problem(node, "it contains itself through an alias")
        if node not in self._sizes:
            self._open.add(node)
            parts = [self.check(part) for part in _parts(node)]
            self._open.remove(node)
            size = 1 + sum(size for size, _ in parts)
            depth = 1 + max((depth for _, depth in parts), default=0)
            if size > _MAX_VALUES or depth > _MAX_DEPTH:
                raise _problem(node, "its aliases expand to too many values")
            self._sizes[node] = size, depth
        return self._sizes[node]


def _parts(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        return list(node.value)
    if not isinstance(node, yaml.MappingNode):
        return []
    seen: set[str] = set()
    for key, _ in node.value:
        if key.tag not in (_TEXT_TAG, _MERGE_TAG):
            shown = f"`{key.value}`" if isinstance(key, yaml.ScalarNode) else "a list or mapping"
            raise _problem(key, f"a key must be text, and {shown} is not; put it in quotes")
        if key.value in seen:
            raise _problem(key, f"the key `{key.value}` occurs twice")
        seen.add(key.value)
    return [value for _, value in node.value]


def _problem(node: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
