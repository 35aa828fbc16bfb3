"""PartiQL statements of a few forms, with literals or parameters, executed on moto's tables.

    SELECT * FROM table WHERE name = value AND ...      (also: names, and no WHERE)
    UPDATE table SET name = ?, ... WHERE key = value AND ...
    INSERT INTO table VALUE {'name': value, ...}
    DELETE FROM table WHERE key = value AND name = value ...

A value is `?`, a text or a number. moto's own parser takes no parameter in an INSERT or a DELETE,
and answers other forms wrongly without an error: an UPDATE without WHERE changes every item, `<>`
and IN select nothing or everything.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from moto.dynamodb.exceptions import ConditionalCheckFailed, MockValidationException
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table

from local.moto_patches.partiql.writes import delete, find, insert
from local.moto_patches.same_items import Identity, identity

_TABLE = r'"?(?P<table>[\w.-]+)"?'
_NAME = r'(?:"(?:[^"]|"")+"|[A-Za-z_]\w*)'
_NAME_IN_TEXT = r"'(?:[^']|'')+'"
_VALUE = r"(?:\?|'(?:[^']|'')*'|-?\d+(?:\.\d+)?)"
_EQUAL = rf"{_NAME}\s*=\s*{_VALUE}"
_ASSIGNED = rf"{_NAME}\s*=\s*\?"
_PAIR = rf"{_NAME_IN_TEXT}\s*:\s*{_VALUE}"
_WHERE = rf"\s+WHERE\s+(?P<where>{_EQUAL}(?:\s+AND\s+{_EQUAL})*)"
_FORMS = {
    kind: re.compile(rf"\s*{form}\s*", re.IGNORECASE)
    for kind, form in {
        "SELECT": rf"SELECT\s+(?P<names>\*|{_NAME}(?:\s*,\s*{_NAME})*)\s+FROM\s+{_TABLE}"
        rf"(?:{_WHERE})?",
        "UPDATE": rf"UPDATE\s+{_TABLE}\s+SET\s+(?P<set>{_ASSIGNED}(?:\s*,\s*{_ASSIGNED})*){_WHERE}",
        "INSERT": rf"INSERT\s+INTO\s+{_TABLE}\s+VALUE\s*"
        rf"\{{\s*(?P<set>{_PAIR}(?:\s*,\s*{_PAIR})*)\s*\}}",
        "DELETE": rf"DELETE\s+FROM\s+{_TABLE}{_WHERE}",
    }.items()
}
_SIDES = re.compile(rf"({_NAME}|{_NAME_IN_TEXT})\s*[=:]\s*({_VALUE})")

Pairs = tuple[tuple[str, str], ...]
"""Names of attributes, and values as a statement has them."""


@dataclass(frozen=True)
class Statement:
    """A statement of one of the forms. Without `names`, a SELECT is of all attributes."""

    kind: str
    table: str
    names: tuple[str, ...]
    assigned: Pairs
    where: Pairs

    def execute(self, backend: DynamoDBBackend, parameters: Sequence[Any]) -> list[dict[str, Any]]:
        """Execute it; return the items of a SELECT. Raises moto's errors."""
        bound = _bound([*self.assigned, *self.where], parameters)
        assigned, where = bound[: len(self.assigned)], bound[len(self.assigned) :]
        table = backend.get_table(self.table)
        if self.kind == "SELECT":
            return [self._shown(item) for item in table.all_items() if _has(item, where)]
        if self.kind == "UPDATE":
            _update(backend, table, dict(assigned), dict(where))
        elif self.kind == "INSERT":
            insert(backend, table, dict(assigned))
        else:
            delete(backend, table, dict(where))
        return []

    def check_key(self, backend: DynamoDBBackend, operation: str) -> None:
        """Raise moto's error if it is a SELECT without the whole key.

        No batch and no transaction may have one.
        """
        if self.kind != "SELECT":
            return
        if not {*backend.get_table(self.table).table_key_attrs} <= dict(self.where).keys():
            raise MockValidationException(
                f"Select statements within {operation} must specify the primary key in the where "
                "clause."
            )

    def item(self, backend: DynamoDBBackend, parameters: Sequence[Any]) -> Identity:
        """Return what identifies the item that it reads or writes. Raises moto's errors."""
        values = dict(_bound([*self.assigned, *self.where], parameters))
        keys = backend.get_table(self.table).table_key_attrs
        return identity(self.table, keys, values)

    def _shown(self, item: Item) -> dict[str, Any]:
        attributes: dict[str, Any] = item.to_json()["Attributes"]
        if not self.names:
            return attributes
        return {name: attributes[name] for name in self.names if name in attributes}


@lru_cache(maxsize=1000)
def statement_of(text: str) -> Statement | None:
    """Parse a statement; None if it has none of the forms, or names an attribute twice."""
    for kind, form in _FORMS.items():
        if found := form.fullmatch(text):
            parts = {"names": "*", "set": "", "where": "", **found.groupdict(default="")}
            assigned, where = _pairs(parts["set"]), _pairs(parts["where"])
            names = [] if parts["names"] == "*" else re.findall(_NAME, parts["names"])
            statement = Statement(
                kind, found["table"], tuple(map(_unquoted, names)), assigned, where
            )
            for pairs in (assigned, where):
                if len(dict(pairs)) < len(pairs):
                    return None
            return statement
    return None


def _pairs(text: str) -> Pairs:
    return tuple((_unquoted(name), value) for name, value in _SIDES.findall(text))


def _unquoted(name: str) -> str:
    quote = name[0]
    return name[1:-1].replace(quote * 2, quote) if quote in "\"'" else name


def _bound(pairs: Sequence[tuple[str, str]], parameters: Sequence[Any]) -> list[tuple[str, Any]]:
    """Return names with their values, those of `?` from the parameters."""
    if sum(value == "?" for _, value in pairs) != len(parameters):
        raise MockValidationException("Number of parameters in request and statement don't match.")
    left = iter(parameters)
    return [(name, next(left) if value == "?" else _literal(value)) for name, value in pairs]


def _literal(value: str) -> dict[str, str]:
    if value.startswith("'"):
        return {"S": value[1:-1].replace("''", "'")}
    return {"N": value}


def _has(item: Item, values: Sequence[tuple[str, Any]]) -> bool:
    return all(
        name in item.attrs and item.attrs[name] == DynamoType(value) for name, value in values
    )


def _update(
    backend: DynamoDBBackend, table: Table, assigned: Mapping[str, Any], key: dict[str, Any]
) -> None:
    """Update an item that is there. DynamoDB's UPDATE makes none."""
    if key.keys() != {*table.table_key_attrs}:
        raise MockValidationException(
            "Where clause does not contain a mandatory equality on all key attributes, or, which "
            "the local ring does not execute, contains other conditions. Nothing was executed. "
            "Use UpdateItem with a ConditionExpression (docs/explanation/servers.md)."
        )
    if find(backend, table, key) is None:
        raise ConditionalCheckFailed
    names = {f"#{place}": name for place, name in enumerate(assigned)}
    backend.update_item(
        table.name,
        key,
        update_expression="SET " + ", ".join(f"{name} = :{name[1:]}" for name in names),
        expression_attribute_names=names,
        expression_attribute_values={
            f":{place}": value for place, value in enumerate(assigned.values())
        },
    )
