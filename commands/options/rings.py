"""The options that say which rings a command is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import Any

import click

from commands.local_ring import RunningLocalRing
from commands.options.ring_config import config_of
from operate.deployment.config_source import StateBackend, parse_settings
from operate.deployment.ring_file import read_rings
from operate.deployment.stack import RingStack
from operate.deployment.workspace import stack_file
from operate.errors import InvalidRequestError
from ring.project import PROJECT_ROOT

_WHICH = (
    click.option("--stack", metavar="NAME", help="The ring of this stack: Pulumi.NAME.yaml."),
    click.option(
        "--folder",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        help="The folder of the Pulumi project that the stack belongs to. Default: this one if it "
        "has a Pulumi.yaml, else that of automate.py.",
    ),
    click.option(
        "--file",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="The rings of this ring file.",
    ),
    click.option(
        "--only",
        multiple=True,
        metavar="RING",
        help="Of the ring file, this ring alone; repeatable.",
    ),
    click.option(
        "--backend",
        metavar="URL",
        help="Where Pulumi keeps the ring's state. Default: PULUMI_BACKEND_URL, or where it is "
        "logged in to.",
    ),
)
_LOCAL = click.option(
    "--local",
    "endpoint",
    metavar="URL",
    help="The ring that `automate.py local` runs at this URL, instead of a stack's.",
)
_GIVEN = (
    click.option("--table", metavar="NAME", help="The tables' name."),
    click.option("--key", metavar="NAME:TYPE", help="Their partition key; TYPE is S, N or B."),
    click.option("--sort", metavar="NAME:TYPE", help="Their sort key, if they have one."),
    click.option(
        "--member",
        multiple=True,
        metavar="REGION[:TABLE][,SETTING=VALUE]",
        help="A member, in ring order, with whatever a member can have: name, account, stream_arn, "
        "profile, role, external_id, kms_key, state, paused (true or false); "
        "writer_secret by --set. Repeatable: two at least.",
    ),
    click.option(
        "--ttl", metavar="ATTRIBUTE", help="The attribute that says when an item expires."
    ),
    click.option("--tag", multiple=True, metavar="KEY=VALUE", help="A tag; repeatable."),
    click.option(
        "--set",
        "more",
        multiple=True,
        metavar="SETTING=VALUE",
        help="Any other setting by its path, with its value in YAML: "
        "tombstones.retention_days=10, hops=[us-east-1], members[1].kms_key=arn:… Repeatable.",
    ),
    click.option(
        "--secrets-provider",
        metavar="URL",
        help="What encrypts its secrets. Default: Pulumi's own, for the backend.",
    ),
)


@dataclass(frozen=True)
class _Which:
    """What the options say about which rings."""

    stack: str | None
    folder: Path | None
    file: Path | None
    only: tuple[str, ...]
    backend: str | None

    @classmethod
    def taken_from(cls, given: dict[str, Any]) -> _Which:
        """Take the options out of all that were given."""
        return cls(**{field.name: given.pop(field.name) for field in fields(cls)})


_NONE = _Which(None, None, None, (), None)


def stack_rings_option(function: Callable[..., int]) -> Callable[..., int]:
    """Give a command `rings`: those of a stack or of a ring file."""

    @wraps(function)
    def command(**given: Any) -> int:
        which = _Which.taken_from(given)
        return function(rings=_chosen(which), **given)

    return _with(command, _WHICH)


def running_rings_option(function: Callable[..., int]) -> Callable[..., int]:
    """Give a command `rings` as `which_rings` does, or the one that runs on this machine."""

    @wraps(function)
    def command(endpoint: str | None, **given: Any) -> int:
        which = _Which.taken_from(given)
        if endpoint is None:
            return function(rings=_chosen(which), **given)
        if which != _NONE:
            raise InvalidRequestError(
                "--local says which ring: leave --stack, --file and the like out."
            )
        if not endpoint.startswith(("http://", "https://")):
            there = endpoint.rpartition("://")[2]
            raise InvalidRequestError(f"--local: {endpoint!r} is no URL. Write http://{there}.")
        return function(rings=[RunningLocalRing(endpoint)], **given)

    return _with(command, (*_WHICH, _LOCAL))


def described_rings_option(function: Callable[..., int]) -> Callable[..., int]:
    """Give a command `rings` as `which_rings` does, or the one that the command line describes."""

    @wraps(function)
    def command(**given: Any) -> int:
        which = _Which.taken_from(given)
        described = {name: given.pop(name) for name in _DESCRIBED}
        if any(described.values()):
            return function(rings=[_described(which, described)], **given)
        return function(rings=_chosen(which, building=True), **given)

    return _with(command, (*_WHICH, *_GIVEN))


_DESCRIBED = ("table", "key", "sort", "member", "ttl", "tag", "more", "secrets_provider")


def _with(command: Callable[..., int], options: tuple[Any, ...]) -> Callable[..., int]:
    for option in reversed(options):
        command = option(command)
    return command


def _chosen(which: _Which, *, building: bool = False) -> list[RingStack]:
    if which.file:
        if which.stack or which.folder or which.backend:
            raise InvalidRequestError(
                "The rings of a ring file say their stacks themselves: leave --stack, --folder and "
                "--backend out."
            )
        return read_rings(which.file, which.only, building=building)
    if which.only:
        raise InvalidRequestError("--only chooses from a ring file: give it with --file.")
    if not which.stack:
        raise InvalidRequestError(
            "Which ring? Say --stack NAME or --file RINGS.yaml; --help tells more."
        )
    return [RingStack.of(which.folder or _home(), which.stack, backend=StateBackend(which.backend))]


def _home() -> Path:
    return Path.cwd() if (Path.cwd() / "Pulumi.yaml").exists() else PROJECT_ROOT


def _described(which: _Which, given: dict[str, Any]) -> RingStack:
    if which.file or which.only or which.folder:
        raise InvalidRequestError(
            "The ring is described on the command line: leave --file, --only and --folder out."
        )
    if which.stack and (file := stack_file(_home(), which.stack)).exists():
        raise InvalidRequestError(
            f"{file} says what the stack {which.stack} is, and would say something else "
            "afterwards. Change it there, or choose another name with --stack."
        )
    config = config_of(
        table={"name": given["table"], **{name: given[name] for name in ("key", "sort", "ttl")}},
        members=given["member"],
        tags=given["tag"],
        more=given["more"],
    )
    backend = StateBackend(which.backend, given["secrets_provider"])
    return RingStack(parse_settings(config), which.stack, backend=backend)
