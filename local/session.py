"""A local ring as a person uses it: started, told about, loaded, watched and ended."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from local import hints
from local.cloud.program import DeployError
from local.data.items import Schema
from local.data.load import CheckedFile, LoadError, TargetTable, check, write
from local.endpoint.dynamodb_proxy import ProxyError, WrongUrlError
from local.endpoint.server import ServerError
from local.ring import LocalRing
from local.stack_config import StackConfig
from local.view import watch
from ring.settings.members import NoSuchMemberError, find_member, members_of
from ring.settings.settings import SettingsError
from ring.settings.stack_file import StackFileError
from ring.text import counted

if TYPE_CHECKING:
    from pathlib import Path


class WrongUseError(Exception):
    """What was asked for cannot be: the settings or the arguments are wrong."""


class FailedError(Exception):
    """What was asked for was tried and failed."""


@dataclass(frozen=True)
class SessionOptions:
    """What is asked of a session. `member` is where `file` is loaded into; None: the first.

    `dynamodb` is the URL of a server that keeps the tables; None: moto does. Without
    `seconds`, the session lasts until the user interrupts it.
    """

    stack: str
    port: int = 0
    file: Path | None = None
    member: str | None = None
    seconds: float | None = None
    dynamodb: str | None = None


def run(project: Path, wish: SessionOptions, console: Console | None = None) -> None:
    """Run the ring of one of a project's stacks.

    Raises `WrongUseError`, `OperationFailedError`, or `KeyboardInterrupt` when the user ends it;
    the ring is gone by then in any case.
    """
    try:
        _run(project, wish, console or Console())
    except (StackFileError, SettingsError, WrongUrlError) as error:
        raise WrongUseError(str(error)) from error
    except (ServerError, ProxyError, DeployError, LoadError) as error:
        raise FailedError(str(error)) from error


def _run(project: Path, wish: SessionOptions, console: Console) -> None:
    stack = StackConfig.read(project, wish.stack)
    ring = LocalRing(stack, port=wish.port, dynamodb=wish.dynamodb)
    _expect_member(ring, wish.member)
    checked = _check(ring, wish.file, console) if wish.file else None
    with ExitStack() as end:
        with console.status(f"Deploying the stack {stack.name} on this machine ..."):
            end.enter_context(ring)
        _greet(ring, wish, console)
        if checked:
            _load(ring, checked, wish.member or next(iter(ring.members)), console)
        watch(ring, console, wish.seconds, greet=lambda: _greet(ring, wish, console))


def _expect_member(ring: LocalRing, word: str | None) -> None:
    try:
        if word:
            find_member(members_of(ring.settings), word)
    except NoSuchMemberError as error:
        raise WrongUseError(f"--into {word}: {error}") from error


def _greet(ring: LocalRing, wish: SessionOptions, console: Console) -> None:
    """Say where the ring is, and how to see it work."""
    first, second, *_ = ring.members.values()
    table = ring.settings.table
    lines = [
        f"A ring of {len(ring.members)} (stack {ring.stack.name}) at {ring.endpoint}",
        *([f"Its tables are in the DynamoDB at {wish.dynamodb}."] if wish.dynamodb else []),
        *_about_expiry(ring, wish),
        "Ctrl-C ends it.",
        "",
        f"Write an item in {first.name}:",
        f"  {hints.write_line(first, table)}",
        f"Read it in {second.name}:",
        f"  {hints.read_line(second, table)}",
        "Or in Python:",
        f"  {hints.boto3_line(first)}",
        "",
    ]
    for line in lines:
        # As they are, so that what is pasted is what was meant.
        console.print(line, soft_wrap=True, markup=False, highlight=False)


def _about_expiry(ring: LocalRing, wish: SessionOptions) -> list[str]:
    """Say who expires items where it is not this program."""
    ttl = ring.settings.table.ttl
    if not (wish.dynamodb and ttl and ttl.enabled):
        return []
    return [
        f"Items expire by `{ttl.attribute}` if that DynamoDB does so; nothing here expires them."
    ]


def _check(ring: LocalRing, file: Path, console: Console) -> CheckedFile:
    """Check a file before anything is deployed, showing how far it is."""
    with _progress(console) as progress:
        return check(file, Schema.wanted(ring.settings.table), progress)


def _load(ring: LocalRing, checked: CheckedFile, word: str, console: Console) -> None:
    """Load a file into a member, showing how far it is."""
    member = ring.member(word)
    began = time.monotonic()
    with _progress(console) as progress:
        count = write(checked, TargetTable(member.client, member.table), progress)
    seconds = time.monotonic() - began
    console.print(
        f"Loaded {counted(count, 'item')} into {member.name} in {seconds:.1f} s.", highlight=False
    )


def _progress(console: Console) -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=console)
