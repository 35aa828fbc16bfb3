"""The component's arguments: the settings as typed dictionaries, which Pulumi makes a schema of."""

import typing
from collections.abc import Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NotRequired, TypedDict, Union

import pulumi
from pulumi.errors import InputPropertyError
from pulumi.output import Unknown
from pulumi.provider.experimental.util import camel_case
from pydantic import BaseModel

from ring.settings.settings import Settings


def typed_dict(model: type[BaseModel]) -> Any:
    """Return a typed dictionary with a model's fields, plain and without their constraints.

    The settings validate the values; a schema has no room for more than their types.
    """
    fields: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        plain = _plain(field.annotation)
        fields[name] = plain if field.is_required() else NotRequired[plain]
    made: Any = TypedDict
    found = made(model.__name__, fields)
    found.__doc__ = model.__doc__
    return found


def _plain(annotation: Any) -> Any:
    """Return the type of a field: text, number, truth, list, mapping or another dictionary."""
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (Annotated, Union, UnionType):  # either of a type and None
        return _plain(next(part for part in parts if part is not NoneType))
    if origin is Literal:
        return type(parts[0])
    if origin is tuple:
        return list[_plain(parts[0])]  # type: ignore[misc] # a type made at run time
    if origin is dict:
        return dict[str, _plain(parts[1])]  # type: ignore[misc]
    is_section = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return typed_dict(annotation) if is_section else annotation


def models_in(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Yield a model and those of its fields, at every depth."""
    yield model
    for field in model.model_fields.values():
        yield from _models_of(field.annotation)


def _models_of(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from models_in(annotation)
    for part in typing.get_args(annotation):
        yield from _models_of(part)


def settings_of(inputs: Mapping[str, Any]) -> Any:
    """Return a program's arguments under the names of the settings; unknown names stay.

    Raises `InputPropertyError` for a value that is not known while the program runs.
    """
    return _converted(inputs, Settings, "")


def _converted(value: Any, annotation: Any, path: str) -> Any:
    if isinstance(value, pulumi.Output | Unknown):
        raise InputPropertyError(
            path,
            "it is an output or a secret, and the ring's resources depend on it. Write the value "
            "itself.",
        )
    if isinstance(value, float) and value.is_integer():
        return int(value)  # the engine sends every number as a float
    if isinstance(value, list):
        return [_converted(one, annotation, f"{path}[{at}]") for at, one in enumerate(value)]
    return _section(value, annotation, path) if isinstance(value, Mapping) else value


def _section(values: Mapping[str, Any], annotation: Any, path: str) -> dict[str, Any]:
    fields, found = _fields(annotation), dict[str, Any]()
    for key, value in values.items():
        inner = f"{path}.{key}" if path else key
        if key not in fields and (meant := camel_case(key)) in fields:
            raise InputPropertyError(inner, f"there is no such argument. Write `{meant}`.")
        name, inner_annotation = fields.get(key, (key, None))
        found[name] = _converted(value, inner_annotation, inner)
    return found


def _fields(annotation: Any) -> dict[str, tuple[str, Any]]:
    """Return the fields of a section by their names in the schema; none for any other type."""
    model = next(_models_of(annotation), None)
    if model is None:
        return {}
    return {
        camel_case(name): (name, field.annotation) for name, field in model.model_fields.items()
    }
