"""A ring file: many rings, each with its name and its settings, in one YAML file.

rings:
  - name: orders
    settings:
      table: {name: orders, partition_key: {name: customer, type: S}}
      members: [{region: us-east-1}, {region: eu-west-1}]
  - name: carts
    stack: acme/dynamodb-ring/carts   # default: the ring's name
    backend: s3://acme-pulumi-state   # default: the one logged in to
    secrets_provider: awskms://alias/pulumi
    settings: ...
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from operate.deployment.config_source import StateBackend, parse_settings
from operate.deployment.settings_file import MembersPlace
from operate.deployment.stack import RingStack
from operate.deployment.workspace import absolute
from operate.errors import InvalidRequestError
from ring.settings.errors import SettingProblem, did_you_mean, from_pydantic_error
from ring.settings.sections import SettingsModel
from ring.settings.settings import SettingsError
from ring.settings.yaml_text import YamlError, read_yaml
from ring.shared_tables import check_shared_between


class Entry(SettingsModel):
    """One ring of the file."""

    name: str = Field(min_length=1)
    settings: dict[str, Any]
    stack: str | None = None
    backend: str | None = None
    secrets_provider: str | None = None


class RingFile(SettingsModel):
    """What a ring file holds."""

    rings: tuple[Entry, ...] = Field(min_length=1)


def read_rings(path: Path, only: Sequence[str] = (), *, building: bool = False) -> list[RingStack]:
    """Read a file's rings, or those named in `only`. Raises InvalidRequestError with all errors.

    If they are for `building`, a table of two rings of the file is one: of those chosen and any
    other. Not otherwise, so that one of them can be taken down.
    """
    file = _parsed(path)
    mistakes = list(_twins(file))
    if building:
        mistakes += _shared(file, only)
    entries = list(_chosen(file, only))
    rings = []
    for entry in entries:
        if wrong := _mistakes(entry.settings, entry.name):
            mistakes += wrong
            continue
        settings = parse_settings(entry.settings)
        backend = absolute(entry.backend, path.absolute().parent) if entry.backend else None
        steps = ("rings", file.rings.index(entry), "settings", "members")
        keep = StateBackend(backend, entry.secrets_provider)
        ring = RingStack(settings, entry.stack or entry.name, label=entry.name, keep=keep)
        ring.told_in = MembersPlace(path.absolute(), steps)
        rings.append(ring)
    if mistakes:
        raise InvalidRequestError(str(SettingsError(mistakes)), mistakes)
    return rings


def _parsed(path: Path) -> RingFile:
    try:
        document = read_yaml(path)
    except (OSError, YamlError) as error:
        raise InvalidRequestError(f"{path} cannot be read: {error}") from error
    try:
        return RingFile.model_validate(document)
    except ValidationError as error:
        mistakes = [from_pydantic_error(one, RingFile) for one in error.errors()]
        mistakes += _wrong_settings(document)
        raise InvalidRequestError(f"{path}: {SettingsError(mistakes)}", mistakes) from error


def _wrong_settings(document: Any) -> Iterator[SettingProblem]:
    """What is wrong with the settings of a file's rings, also where the file has no sound shape."""
    entries = document.get("rings") if isinstance(document, dict) else None
    for at, entry in enumerate(entries if isinstance(entries, list) else ()):
        settings = entry.get("settings") if isinstance(entry, dict) else None
        if isinstance(settings, dict):
            yield from _mistakes(settings, entry.get("name") or f"rings[{at}]")


def _mistakes(settings: dict[str, Any], ring: str) -> list[SettingProblem]:
    try:
        parse_settings(settings)
    except InvalidRequestError as error:
        return [replace(one, key=f"{ring}: {one.key}") for one in error.problems]
    return []


def _shared(file: RingFile, only: Sequence[str]) -> list[SettingProblem]:
    """Tables of two rings. Rings that are not chosen come first: who comes second is told of."""
    sound = [
        (entry.name, parse_settings(entry.settings))
        for entry in sorted(file.rings, key=lambda one: not only or one.name in only)
        if not _mistakes(entry.settings, entry.name)
    ]
    chosen = [entry.name for entry in file.rings if not only or entry.name in only]
    return [one for one in check_shared_between(sound) if one.key.rpartition(": ")[0] in chosen]


def _twins(file: RingFile) -> Iterator[SettingProblem]:
    seen: dict[tuple[str | None, str], int] = {}
    names: dict[str, int] = {}
    for at, entry in enumerate(file.rings):
        place = (entry.backend, entry.stack or entry.name)
        twin = names.get(entry.name, seen.get(place))
        if twin is not None:
            yield SettingProblem(
                f"rings[{at}]",
                entry.name,
                f"rings[{twin}] has the same name, or the same stack",
                "Give it another name, and another stack if it says one.",
            )
        names.setdefault(entry.name, at)
        seen.setdefault(place, at)


def _chosen(file: RingFile, only: Sequence[str]) -> Iterator[Entry]:
    names = [entry.name for entry in file.rings]
    for word in only:
        if word not in names:
            raise InvalidRequestError(
                f"There is no ring {word}. {did_you_mean(word, names, among='Rings')}"
            )
    yield from (entry for entry in file.rings if not only or entry.name in only)
