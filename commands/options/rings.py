"""Options that select or describe the rings of a command.

Which decorator a command takes:

- ``running_rings_option``: it works on deployed rings, and on one on this machine, too (most do);
- ``stack_rings_option``: it deploys or changes stacks;
- ``described_rings_option``: it needs settings alone, and nothing has to be deployed;
- ``optional_stack_option``: a stack's settings are a template, if one is named.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial, wraps
from pathlib import Path
from typing import Any

import click

from commands.framework import RingOption
from commands.local_ring import RunningLocalRing
from commands.options.ring_config import config_of
from operate.deployment.config_source import StateBackend, parse_settings
from operate.deployment.ring_file import read_rings
from operate.deployment.stack import RingStack
from operate.deployment.workspace import stack_file
from operate.errors import InvalidRequestError
from ring.project import PROJECT_ROOT

_ring_option = partial(click.option, cls=RingOption)
folder_option = _ring_option(
    "--folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of the stack's Pulumi project. Default: the current one if it has a "
    "Pulumi.yaml, else that of automate.py.",
)
_SELECTION = (
    _ring_option("--stack", metavar="NAME", help="Ring of this stack: Pulumi.NAME.yaml."),
    folder_option,
    _ring_option(
        "--file",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="Rings of this ring file.",
    ),
    _ring_option(
        "--only",
        multiple=True,
        metavar="RING",
        help="Only this ring of the ring file; repeatable.",
    ),
    _ring_option(
        "--backend",
        metavar="URL",
        help="Pulumi's state backend. Default: PULUMI_BACKEND_URL, or that of `pulumi login`.",
    ),
)
_LOCAL = _ring_option(
    "--local",
    "endpoint",
    metavar="URL",
    help="Ring that `automate.py local` runs at this URL, instead of a stack's.",
)
_DESCRIPTION = (
    _ring_option("--table", metavar="NAME", help="Name of the tables."),
    _ring_option("--key", metavar="NAME:TYPE", help="Partition key; TYPE is S, N or B."),
    _ring_option("--sort", metavar="NAME:TYPE", help="Sort key, if any."),
    _ring_option(
        "--member",
        multiple=True,
        metavar="REGION[:TABLE][,SETTING=VALUE]",
        help="Member, in ring order, with its settings: name, account, stream_arn, profile, role, "
        "external_id, kms_key, state, paused (true or false); writer_secret with --set. "
        "Repeatable: at least two.",
    ),
    _ring_option(
        "--ttl", metavar="ATTRIBUTE", help="TTL attribute: the time when an item expires."
    ),
    _ring_option(
        "--tag", multiple=True, metavar="KEY=VALUE", help="Tag of the resources; repeatable."
    ),
    _ring_option(
        "--set",
        "more",
        multiple=True,
        metavar="SETTING=VALUE",
        help="Any other setting: its path, and its value in YAML, such as "
        "tombstones.retention_days=10, hops=[us-east-1] or members[1].kms_key=arn:… Repeatable.",
    ),
    _ring_option(
        "--secrets-provider",
        metavar="URL",
        help="Pulumi's secrets provider. Default: the backend's.",
    ),
)


@dataclass(frozen=True)
class _Selection:
    """Options that select rings."""

    stack: str | None
    folder: Path | None
    file: Path | None
    only: tuple[str, ...]
    backend: str | None

    @classmethod
    def pop_from(cls, options: dict[str, Any]) -> _Selection:
        """Remove these options from all of a command's options."""
        return cls(**{field.name: options.pop(field.name) for field in fields(cls)})


_NONE = _Selection(None, None, None, (), None)
_STACKS = "--stack NAME or --file RINGS.yaml"
_RUNNING = "--local URL for one on this machine"
_NEW = "describe one by --table, --key and --member"


def stack_rings_option(function: Callable[..., int]) -> Callable[..., int]:
    """Add `rings`: those of a stack or of a ring file."""

    @wraps(function)
    def command(**options: Any) -> int:
        selection = _Selection.pop_from(options)
        return function(rings=_chosen(selection), **options)

    return _with(command, _SELECTION)


def optional_stack_option(function: Callable[..., int]) -> Callable[..., int]:
    """Add `like`: the ring of a stack, or None, and `backend`, a URL."""

    @wraps(function)
    def command(stack: str | None, folder: Path | None, backend: str | None, **options: Any) -> int:
        if folder and not stack:
            raise InvalidRequestError("--folder is the folder of a stack: give it with --stack.")
        like = RingStack.of(folder or home(), stack) if stack else None
        return function(like=like, backend=backend, **options)

    return _with(command, (*_SELECTION[:2], _SELECTION[-1]))


def running_rings_option(function: Callable[..., int]) -> Callable[..., int]:
    """Add `rings` as `stack_rings_option` does, or the one that runs on this machine."""

    @wraps(function)
    def command(endpoint: str | None, **options: Any) -> int:
        selection = _Selection.pop_from(options)
        if endpoint is None:
            return function(rings=_chosen(selection, other=_RUNNING), **options)
        if selection != _NONE:
            raise InvalidRequestError(
                "--local selects the ring: leave --stack, --file and so on out."
            )
        return function(rings=[local_ring(endpoint)], **options)

    return _with(command, (*_SELECTION, _LOCAL))


def local_ring(endpoint: str) -> RunningLocalRing:
    """Return the ring at the URL of --local. Raises `InvalidRequestError` if it is no URL."""
    if not endpoint.startswith(("http://", "https://")):
        host = endpoint.rpartition("://")[2]
        raise InvalidRequestError(f"--local: {endpoint!r} is not a URL. Write http://{host}.")
    return RunningLocalRing(endpoint)


def described_rings_option(function: Callable[..., int]) -> Callable[..., int]:
    """Add `rings` as `stack_rings_option` does, or the one that the options describe."""

    @wraps(function)
    def command(**options: Any) -> int:
        selection = _Selection.pop_from(options)
        described = {name: options.pop(name) for name in _DESCRIBED}
        if any(described.values()):
            return function(rings=[_described(selection, described)], **options)
        return function(rings=_chosen(selection, building=True, other=_NEW), **options)

    return _with(command, (*_SELECTION, *_DESCRIPTION))


def selecting_arguments() -> list[str]:
    """Return the arguments of the running command that select its ring, for another command."""
    context = click.get_current_context()
    arguments = []
    for option in context.command.params:
        if isinstance(option, RingOption) and (value := context.params.get(option.name or "")):
            for one in value if option.multiple else (value,):
                arguments += [option.opts[-1], str(one)]
    return arguments


_DESCRIBED = ("table", "key", "sort", "member", "ttl", "tag", "more", "secrets_provider")


def _with(command: Callable[..., int], options: tuple[Any, ...]) -> Callable[..., int]:
    for option in reversed(options):
        command = option(command)
    return command


def _chosen(selection: _Selection, *, building: bool = False, other: str = "") -> list[RingStack]:
    """Return the rings of a selection. `other` says how else the command selects one."""
    if selection.file:
        if selection.stack or selection.folder or selection.backend:
            raise InvalidRequestError(
                "A ring file names its rings' stacks: leave --stack, --folder and --backend out."
            )
        return read_rings(selection.file, selection.only, building=building)
    if selection.only:
        raise InvalidRequestError("--only selects from a ring file: give it with --file.")
    if not selection.stack:
        choices = f"--stack NAME, --file RINGS.yaml, or {other}" if other else _STACKS
        raise InvalidRequestError(f"Which ring? Pass {choices}; see --help.")
    return [
        RingStack.of(
            selection.folder or home(), selection.stack, backend=StateBackend(selection.backend)
        )
    ]


def home() -> Path:
    """Return the folder of the Pulumi project, if none is given."""
    return Path.cwd() if (Path.cwd() / "Pulumi.yaml").exists() else PROJECT_ROOT


def _described(selection: _Selection, options: dict[str, Any]) -> RingStack:
    if selection.file or selection.only or selection.folder:
        raise InvalidRequestError(
            "The options describe a ring: leave --file, --only and --folder out."
        )
    if selection.stack and (file := stack_file(home(), selection.stack)).exists():
        raise InvalidRequestError(
            f"{file} already describes the stack {selection.stack}. Change it, or pass another "
            "--stack."
        )
    config = config_of(
        table={
            "name": options["table"],
            **{name: options[name] for name in ("key", "sort", "ttl")},
        },
        members=options["member"],
        tags=options["tag"],
        more=options["more"],
    )
    backend = StateBackend(selection.backend, options["secrets_provider"])
    return RingStack(parse_settings(config), selection.stack, backend=backend)
