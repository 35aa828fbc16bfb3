"""Let moto not do again, for each request, what has the same result each time.

Each of these took more than a twentieth of the time of a PutItem or a GetItem. What moto returns
remains the same.
"""

from __future__ import annotations

import json
import string
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from typing import Any
from unittest.mock import patch

from moto.core import responses
from moto.core.parse import BaseJSONParser
from moto.core.utils import method_names_from_class
from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.exceptions import ItemSizeTooLarge
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.responses import DynamoResult
from moto.moto_api._internal.moto_random import MotoRandom

from handler.model.attribute_values import encode_binary

_lex = ConditionExpressionParser._lex_condition_expression
_parse = ConditionExpressionParser.parse
_parse_structure: Any = BaseJSONParser._parse_structure

_cast_value: Any = DynamoType.__dict__["cast_value"].fget
_size = DynamoType.size

_execute = DynamoResult.execute_result
_JSON = {"Content-Type": "application/x-amz-json-1.0"}
_OF_ITEMS = frozenset({"Attributes", "Item", "Items", "Responses"})
"""Fields of responses that hold items."""

_MOST_BYTES = 405_000
"""moto's limit of an item, of the sizes that moto counts."""


class _Parsed(threading.local):
    """The condition that this thread parsed last, and its syntax tree."""

    parser: ConditionExpressionParser | None = None
    tree: Any = None


_parsed = _Parsed()


def _parse_once(parser: ConditionExpressionParser) -> Any:
    """Parse a condition; moto parses that of a write twice, with the same names and values."""
    last = _parsed.parser
    if (
        last is None
        or last.condition_expression != parser.condition_expression
        or last.expression_attribute_names is not parser.expression_attribute_names
        or last.expression_attribute_values is not parser.expression_attribute_values
    ):
        _parsed.tree = _parse(parser)
        _parsed.parser = parser
        return _parsed.tree
    parser.expr_attr_names_found = list(last.expr_attr_names_found)
    parser.expr_attr_values_found = list(last.expr_attr_values_found)
    return _parsed.tree


@lru_cache(maxsize=1000)
def _tokens(expression: str | None) -> tuple[Any, ...]:
    return tuple(_lex(ConditionExpressionParser(expression, {}, {})))


def _lex_once(parser: ConditionExpressionParser) -> deque[Any]:
    """Split a condition into tokens: a ring sends the same few texts, with other values."""
    return deque(_tokens(parser.condition_expression))


def _text_of(shape: Any, value: Any) -> tuple[str, str] | None:
    """Return type and content of an AttributeValue whose content is a text; None for all else."""
    if shape.name == "AttributeValue" and type(value) is dict and len(value) == 1:
        ((kind, content),) = value.items()
        if kind in ("S", "N", "B") and type(content) is str:
            return kind, content
    return None


def _parse_value(parser: Any, shape: Any, value: Any) -> Any:
    """Parse what is written as a text without asking for each of an AttributeValue's ten types."""
    text = _text_of(shape, value)
    if text is None:
        return _parse_structure(parser, shape, value)
    kind, content = text
    return {kind: parser._parse_blob(shape, content) if kind == "B" else content}


def _value_of(typed: DynamoType) -> Any:
    """Return a text as it is; moto asks first for five types. A write looks a key up ten times."""
    return typed.value if typed.type == "S" else _cast_value(typed)


def _size_of(typed: DynamoType) -> int:
    """Measure a text; moto asks first for five types."""
    return len(typed.value.encode()) if typed.type == "S" else _size(typed)


def _make_item(
    item: Item, hash_key: DynamoType, range_key: DynamoType | None, attrs: dict[str, Any]
) -> None:
    """Measure an item once; moto measures all that it has so far for each attribute."""
    item.hash_key = hash_key
    item.range_key = range_key
    item.attrs = LimitedSizeDict({name: DynamoType(value) for name, value in attrs.items()})
    if item.size() > _MOST_BYTES:
        raise ItemSizeTooLarge


def _execute_result(result: DynamoResult, context: Any) -> Any:
    """Serialize items at once; moto looks up each of their values in its API model.

    And it drops a map's attribute without a name, and puts what that contains in its place.
    """
    document: Any = result.result
    if _OF_ITEMS.isdisjoint(document):
        return _execute(result, context)
    return 200, {**_JSON}, json.dumps(document, default=encode_binary, check_circular=False)


def _random_string(
    source: MotoRandom, length: int = 20, include_digits: bool = True, lower_case: bool = False
) -> str:
    """Draw all characters of an identifier at once; each response has one of 52."""
    pool = string.ascii_letters + (string.digits if include_digits else "")
    drawn = "".join(source.choices(pool, k=length))
    return drawn.lower() if lower_case else drawn


@contextmanager
def repetition_avoided() -> Iterator[None]:
    """Keep what moto would find again for each request, while the context lasts."""
    # moto looks through all members of a handler's class for each request. Its methods, other
    # patches included, do not change while the context lasts.
    names = lru_cache(maxsize=None)(method_names_from_class)
    with ExitStack() as changes:
        changes.enter_context(patch.object(responses, "method_names_from_class", names))
        for owner, name, ours in (
            (ConditionExpressionParser, "parse", _parse_once),
            (ConditionExpressionParser, "_lex_condition_expression", _lex_once),
            (BaseJSONParser, "_parse_structure", _parse_value),
            (DynamoType, "cast_value", property(_value_of)),
            (DynamoType, "size", _size_of),
            (Item, "__init__", _make_item),
            (DynamoResult, "execute_result", _execute_result),
            (MotoRandom, "get_random_string", _random_string),
        ):
            changes.enter_context(patch.object(owner, name, ours))
        yield
    _parsed.parser = _parsed.tree = None
