"""An interactive session of a local ring: deploy, print how to use it, load a file, watch."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from local import hints
from local.cloud.errors import StartError
from local.data.batch_writer import BatchWriter
from local.data.items import Schema
from local.data.load import CheckedFile, LoadError, TargetTable, check, write
from local.endpoint.dynamodb_url import WrongUrlError, normalized_url
from local.endpoint.listener import Port, listen
from local.memory import manage_memory
from local.stack_config import StackConfig
from local.view import watch
from ring.settings.members import NoSuchMemberError, find_member, members_of
from ring.settings.settings import Settings, SettingsError
from ring.settings.stack_file import StackFileError
from ring.text import counted

if TYPE_CHECKING:
    from pathlib import Path

    from local.ring import LocalRing


class WrongUseError(Exception):
    """The settings or the options are invalid."""


class FailedError(Exception):
    """Starting the ring or loading the file failed."""


class SessionPage(Protocol):
    """The page that shows the ring, served at `address` while the context lasts."""

    @property
    def address(self) -> str:
        """The URL of the page."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


@dataclass(frozen=True)
class SessionOptions:
    """Options of a session. `file` is loaded into `member`; None: the first member.

    `dynamodb` is the URL of a server that holds the tables; None: moto. `page` is served as soon as
    the settings are known to be valid, before the ring is there. Without `seconds`, the session
    lasts until the user interrupts it.
    """

    stack: str
    port: Port = 0
    file: Path | None = None
    member: str | None = None
    seconds: float | None = None
    dynamodb: str | None = None
    page: SessionPage | None = None


def run(project: Path, options: SessionOptions, console: Console | None = None) -> None:
    """Run the ring of a project's stack.

    Raises `WrongUseError`, `FailedError`, or `KeyboardInterrupt` when the user ends the session. In
    each case the ring has ended. What entering the page raises is not caught.
    """
    try:
        _run(project, options, console or Console())
    except (StackFileError, SettingsError, WrongUrlError) as error:
        raise WrongUseError(str(error)) from error
    except (StartError, LoadError) as error:
        raise FailedError(str(error)) from error


def _run(project: Path, options: SessionOptions, console: Console) -> None:
    manage_memory()
    stack = StackConfig.read(project, options.stack)
    # The logs stay on this machine, and a conflict can be shown and resolved with its items.
    stack = stack.with_default("function", "log_items", value=True)
    _expect_member(Settings.parse(stack.settings), options.member)
    if options.dynamodb:
        normalized_url(options.dynamodb)
    with ExitStack() as end:
        listener = end.enter_context(listen(options.port))  # before the page, whose port is another
        if options.page:
            end.enter_context(options.page)
        _greet_page(options, console)
        from local.ring import LocalRing  # noqa: PLC0415 - it takes longer than all before it

        ring = LocalRing(stack, port=listener, dynamodb=options.dynamodb)
        checked = _check(ring, options.file, console) if options.file else None
        with console.status(f"Deploying the stack {stack.name} on this machine ..."):
            end.enter_context(ring)
        _greet(ring, options, console)
        if checked:
            _load(ring, checked, options.member or next(iter(ring.members)), console)
        watch(ring, console, options.seconds, greet=lambda: _greet_again(ring, options, console))


def _expect_member(settings: Settings, word: str | None) -> None:
    try:
        if word:
            find_member(members_of(settings), word)
    except NoSuchMemberError as error:
        raise WrongUseError(f"--into {word}: {error}") from error


def _greet_again(ring: LocalRing, options: SessionOptions, console: Console) -> None:
    _greet_page(options, console)
    _greet(ring, options, console)


def _greet_page(options: SessionOptions, console: Console) -> None:
    if options.page:
        _print(console, f"See the ring at work: {options.page.address}")


def _greet(ring: LocalRing, options: SessionOptions, console: Console) -> None:
    """Print the ring's endpoint and how to try it."""
    first, second, *_ = ring.members.values()
    table = ring.settings.table
    lines = [
        f"Ring of {len(ring.members)} members (stack {ring.stack.name}) at {ring.endpoint}",
        *([f"The tables are in the DynamoDB at {options.dynamodb}."] if options.dynamodb else []),
        *_ttl_note(ring, options),
        "Press Ctrl-C to end it.",
        "",
        f"Write an item at {first.name}:",
        f"  {hints.write_line(first, table)}",
        f"Read it at {second.name}:",
        f"  {hints.read_line(second, table)}",
        "In Python:",
        f"  {hints.boto3_line(first)}",
        "",
    ]
    for line in lines:
        _print(console, line)


def _print(console: Console, line: str) -> None:
    """Print a line without wrapping or markup, so that it can be copied."""
    console.print(line, soft_wrap=True, markup=False, highlight=False)


def _ttl_note(ring: LocalRing, options: SessionOptions) -> list[str]:
    """Say that another DynamoDB server expires its items itself."""
    ttl = ring.settings.table.ttl
    if not (options.dynamodb and ttl and ttl.enabled):
        return []
    return [f"Items expire by `{ttl.attribute}` only if that DynamoDB implements time to live."]


def _check(ring: LocalRing, file: Path, console: Console) -> CheckedFile:
    """Check a file before the ring is deployed, with a progress bar."""
    with _progress(console) as progress:
        return check(file, Schema.from_settings(ring.settings.table), progress)


def _load(ring: LocalRing, checked: CheckedFile, word: str, console: Console) -> None:
    """Load a file into a member, with a progress bar."""
    member = ring.member(word)
    began = time.monotonic()
    with (
        BatchWriter(member.client, member.clients.credentials) as writer,
        _progress(console) as progress,
    ):
        count = write(checked, TargetTable(writer, member.table), progress)
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
