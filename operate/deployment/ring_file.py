"""Ring file: several rings, each with its name and its settings, in one YAML file.

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

from operate.deployment.backend import absolute
from operate.deployment.config_source import StateBackend, parse_settings
from operate.deployment.settings_file import MembersLocation
from operate.deployment.stack import RingStack
from operate.errors import InvalidRequestError
from ring.settings.errors import SettingProblem, did_you_mean, from_pydantic_error
from ring.settings.sections import SettingsModel
from ring.settings.settings import SettingsError
from ring.settings.yaml_text import YamlError, read_yaml
from ring.shared_tables import check_shared_between


class Entry(SettingsModel):
    """One ring of a ring file."""

    name: str = Field(min_length=1)
    settings: dict[str, Any]
    stack: str | None = None
    backend: str | None = None
    secrets_provider: str | None = None


class RingFile(SettingsModel):
    """A ring file."""

    rings: tuple[Entry, ...] = Field(min_length=1)


def read_rings(path: Path, only: Sequence[str] = (), *, building: bool = False) -> list[RingStack]:
    """Read a file's rings, or those named in `only`. Raises `InvalidRequestError` with all errors.

    With `building` (for a deployment), a table shared with another ring of the file is an error.
    Without it such a ring can be destroyed.
    """
    file = _parse(path)
    problems = list(_duplicates(file))
    if building:
        problems += _shared_tables(file, only)
    entries = list(_chosen(file, only))
    rings = []
    for entry in entries:
        if invalid := _problems(entry.settings, entry.name):
            problems += invalid
            continue
        settings = parse_settings(entry.settings)
        url = absolute(entry.backend, path.absolute().parent) if entry.backend else None
        steps = ("rings", file.rings.index(entry), "settings", "members")
        rings.append(
            RingStack(
                settings,
                entry.stack or entry.name,
                label=entry.name,
                backend=StateBackend(url, entry.secrets_provider),
                members_location=MembersLocation(path.absolute(), steps),
            )
        )
    if problems:
        raise InvalidRequestError(str(SettingsError(problems)), problems)
    return rings


def _parse(path: Path) -> RingFile:
    try:
        document = read_yaml(path)
    except (OSError, YamlError) as error:
        raise InvalidRequestError(f"Cannot read {path}: {error}") from error
    try:
        return RingFile.model_validate(document)
    except ValidationError as error:
        problems = [from_pydantic_error(details, RingFile) for details in error.errors()]
        problems += _invalid_settings(document)
        raise InvalidRequestError(f"{path}: {SettingsError(problems)}", problems) from error


def _invalid_settings(document: Any) -> Iterator[SettingProblem]:
    """Yield the errors in the rings' settings, also where the file itself is invalid."""
    entries = document.get("rings") if isinstance(document, dict) else None
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        settings = entry.get("settings") if isinstance(entry, dict) else None
        if isinstance(settings, dict):
            yield from _problems(settings, entry.get("name") or f"rings[{index}]")


def _problems(settings: dict[str, Any], ring: str) -> list[SettingProblem]:
    try:
        parse_settings(settings)
    except InvalidRequestError as error:
        return [replace(problem, key=f"{ring}: {problem.key}") for problem in error.problems]
    return []


def _shared_tables(file: RingFile, only: Sequence[str]) -> list[SettingProblem]:
    """Return the tables that a selected ring shares with another ring of the file."""
    valid = [
        (entry.name, parse_settings(entry.settings))
        # An error names the later of two rings: the selected ones come last.
        for entry in sorted(file.rings, key=lambda entry: not only or entry.name in only)
        if not _problems(entry.settings, entry.name)
    ]
    selected = [entry.name for entry in file.rings if not only or entry.name in only]
    return [
        problem
        for problem in check_shared_between(valid)
        if problem.key.rpartition(": ")[0] in selected
    ]


def _duplicates(file: RingFile) -> Iterator[SettingProblem]:
    seen: dict[tuple[str | None, str], int] = {}
    names: dict[str, int] = {}
    for index, entry in enumerate(file.rings):
        stack = (entry.backend, entry.stack or entry.name)
        other = names.get(entry.name, seen.get(stack))
        if other is not None:
            yield SettingProblem(
                f"rings[{index}]",
                entry.name,
                f"rings[{other}] has the same name, or the same stack",
                "Change `name`, and `stack` if it is set.",
            )
        names.setdefault(entry.name, index)
        seen.setdefault(stack, index)


def _chosen(file: RingFile, only: Sequence[str]) -> Iterator[Entry]:
    names = [entry.name for entry in file.rings]
    for name in only:
        if name not in names:
            raise InvalidRequestError(
                f"There is no ring {name}. {did_you_mean(name, names, among='Rings')}"
            )
    yield from (entry for entry in file.rings if not only or entry.name in only)
