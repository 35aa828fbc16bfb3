"""Settings given on the command line, as the mapping that a stack's file would hold. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from operate.errors import InvalidRequestError
from ring.settings.errors import did_you_mean
from ring.settings.sections import MemberSettings
from ring.settings.yaml_text import YamlError, parse_yaml

_KEY_TYPES = ("S", "N", "B")
_STEP = re.compile(r"([^.\[\]=]+)((?:\[[0-9]{1,4}\])*)(?:\.|$)")
_MOST_STEPS = 20
_SHOWN = 100


def config_of(
    *,
    table: Mapping[str, str | None],
    members: Sequence[str],
    tags: Sequence[str],
    more: Sequence[str],
) -> dict[str, Any]:
    """Parse the options into a ring's configuration. Raises InvalidRequestError.

    `table` has name, key, sort and ttl; `more` are the texts of --set, which come last. Whether the
    settings are right is not judged here.
    """
    sections = {
        "name": table.get("name"),
        "partition_key": key(table.get("key")),
        "sort_key": key(table.get("sort"), "--sort"),
        "ttl": {"attribute": table["ttl"]} if table.get("ttl") else None,
    }
    config: dict[str, Any] = {"table": {name: value for name, value in sections.items() if value}}
    config["members"] = [member(text) for text in members]
    if tags:
        config["tags"] = dict(_pair(text, "--tag", "team=orders") for text in tags)
    for text in more:
        path, value = _pair(text, "--set", "tombstones.retention_days=10")
        put(config, path, _value(value, "--set"))
    return config


def key(text: str | None, option: str = "--key") -> dict[str, str] | None:
    """Parse `customer:S` into a key's name and type. Raises InvalidRequestError.

    A name may have colons of its own: the last one separates a type, or is part of the name.
    """
    if not text:
        return None
    name, _, kind = text.rpartition(":")
    if name and kind in _KEY_TYPES:
        return {"name": name, "type": kind}
    is_small = name and kind.upper() in _KEY_TYPES
    likely = f"{name}:{kind.upper()}" if is_small else f"{text.rstrip(':')}:S"
    raise InvalidRequestError(
        f"{option} {text}: say its type as well, as in {option} {likely} (S: text, N: number, "
        "B: binary)."
    )


def member(text: str) -> dict[str, Any]:
    """`eu-west-1:orders-eu,profile=europe` -> region, table, and other settings."""
    option = f"--member {text}"
    place, *more = text.split(",")
    region, _, table = place.partition(":")
    settings: dict[str, Any] = {"region": region} | ({"table": table} if table else {})
    for part in more:
        name, value = _pair(part, option, "profile=europe")
        settings[name] = _of_member(name, value, option)
    return settings


def _of_member(name: str, text: str, option: str) -> Any:
    """The value of a member's setting: text as it is (an account is no number), a truth as YAML."""
    if name not in MemberSettings.model_fields:
        hint = did_you_mean(name, MemberSettings.model_fields, among="A member can have")
        raise InvalidRequestError(f"{option}: there is no such setting as `{name}`. {hint}")
    if name == "writer_secret":
        raise InvalidRequestError(
            f"{option}: `{name}` has settings of its own. Give them as in --set "
            f"members[1].{name}.arn=arn:…, where members are counted from 0."
        )
    return _value(text, option) if MemberSettings.model_fields[name].annotation is bool else text


def put(config: dict[str, Any], path: str, value: Any) -> None:
    """Put a value where a path such as `members[1].kms_key` leads; what is missing is made."""
    place: Any = config
    steps = _steps(path)
    for step, following in pairwise(steps):
        empty: Any = [] if isinstance(following, int) else {}
        place = _entered(place, step, path, empty)
    last = steps[-1]
    _entered(place, last, path, None)
    place[last] = value


def _entered(place: Any, step: str | int, path: str, empty: Any) -> Any:
    """Return the value at a step; create it if missing, also one past the end of a list."""
    fits = isinstance(place, list if isinstance(step, int) else dict)
    if not fits or (isinstance(step, int) and step > len(place)):
        raise InvalidRequestError(
            f"--set {path}: there is no place for {step!r} there. Lists are counted from 0, and "
            "grow at their end."
        )
    if isinstance(step, int) and step == len(place):
        place.append(empty)
    elif isinstance(step, str) and step not in place:
        place[step] = empty
    return place[step]


def _steps(path: str) -> list[str | int]:
    steps: list[str | int] = []
    at = 0
    while at < len(path):
        found = _STEP.match(path, at)
        if not found or len(steps) > _MOST_STEPS:
            raise InvalidRequestError(
                f"--set {path[:_SHOWN]}: this is not the path of a setting. Write it as "
                "`tombstones.retention_days` or `members[1].kms_key`."
            )
        steps.append(found[1])
        steps += [int(number) for number in re.findall(r"\d+", found[2])]
        at = found.end()
    if not steps:
        raise InvalidRequestError("--set: name the setting before the `=`.")
    return steps


def _value(text: str, option: str) -> Any:
    """A value as YAML reads it in a stack's file: 7, true, [a, b], {name: status, type: S}."""
    try:
        return parse_yaml(text)
    except YamlError as error:
        shown = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
        raise InvalidRequestError(f"{option}: {shown!r} is no value in YAML: {error}") from error


def _pair(text: str, option: str, example: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise InvalidRequestError(f"{option}: `{text}` says no value. Write it as in `{example}`.")
    return name, value
