"""Let expressions have line ends and tabs: moto knows only blanks there.

Expressions have no literals, so all white space in them stands between two words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from moto.dynamodb import responses
from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.parsing import expressions, key_condition_expression

_WHITE = re.compile(r"[ \t\r\n]+")

_init = ConditionExpressionParser.__init__
_UpdateExpressionParser: Any = expressions.UpdateExpressionParser  # type: ignore[attr-defined]
_make = _UpdateExpressionParser.make
_parse_key_condition = key_condition_expression.parse_expression


def _with_blanks(expression: str) -> str:
    return _WHITE.sub(" ", expression).strip(" ")


def _init_with_blanks(parser: Any, expression: str | None, *more: Any, **named: Any) -> None:
    _init(parser, expression and _with_blanks(expression), *more, **named)


def _make_with_blanks(expression: str) -> Any:
    return _make(_with_blanks(expression))


def _parse_with_blanks(**named: Any) -> Any:
    expression = _with_blanks(named.pop("key_condition_expression"))
    return _parse_key_condition(expression, **named)


@contextmanager
def white_space_as_blanks() -> Iterator[None]:
    """Parse expressions with any white space, while the context lasts."""
    with (
        patch.object(ConditionExpressionParser, "__init__", _init_with_blanks),
        patch.object(_UpdateExpressionParser, "make", staticmethod(_make_with_blanks)),
        patch.object(responses, "parse_expression", _parse_with_blanks),
    ):
        yield
