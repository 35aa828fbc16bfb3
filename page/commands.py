"""Commands of automate.py that the page may run, each in a process of its own.

What the page changes is done by the commands that an operator would use: the page shows the command
line, and what it printed.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ring.project import PROJECT_ROOT

_LONGEST = 20_000
"""Characters of a text that the page gets from its start, and again from its end."""

_COLUMNS = range(20, 400)


class BadCommandError(Exception):
    """The page does not run such a command, or not with these arguments. Says why."""


@dataclass(frozen=True)
class PageCommand:
    """A command line; `{name}` is replaced by an argument of that name.

    `preview` is what shows the effect before; None: the page asks without.
    """

    line: tuple[str, ...]
    preview: tuple[str, ...] | None = None


COMMANDS: Mapping[str, PageCommand] = {
    "check": PageCommand(("check", "--settle-seconds", "5", "--restart")),
    "pause": PageCommand(("pause", "--yes", "--", "{hop}")),
    "resume": PageCommand(("resume", "--yes", "--", "{hop}")),
    "quarantine": PageCommand(("redrive", "--json")),
    "quarantined": PageCommand(("redrive", "--json", "--show", "{id}")),
    "redrive": PageCommand(
        ("redrive", "--yes", "--", "{id}"), ("redrive", "--dry-run", "--", "{id}")
    ),
    "discard": PageCommand(("discard", "--yes", "--", "{id}")),
    "conflicts": PageCommand(("conflicts", "list", "--open", "--json")),
    "conflict": PageCommand(("conflicts", "show", "--json", "--", "{id}")),
    "resolve": PageCommand(
        ("conflicts", "resolve", "--keep", "loser", "--yes", "--", "{id}"),
        ("conflicts", "resolve", "--keep", "loser", "--dry-run", "--", "{id}"),
    ),
    "resolve with": PageCommand(
        ("conflicts", "resolve", "--item", "-", "--yes", "--", "{id}"),
        ("conflicts", "resolve", "--item", "-", "--dry-run", "--", "{id}"),
    ),
    "clear": PageCommand(("fault", "clear")),
    "end": PageCommand(("fault", "clear", "--", "{id}")),
    "outage": PageCommand(("fault", "outage", "--for", "{duration}", "--", "{member}")),
    "throttle": PageCommand(
        ("fault", "throttle", "--for", "{duration}", "--", "{member}", "{share}")
    ),
    "delay": PageCommand(("fault", "delay", "--for", "{duration}", "--", "{hop}", "{seconds}")),
    "crash": PageCommand(("fault", "crash", "--for", "{duration}", "--", "{hop}")),
    "poison": PageCommand(("fault", "poison", "--for", "{duration}", "--", "{member}")),
}


@dataclass(frozen=True)
class Ended:
    """A command that has ended: its line, its exit code, and what it printed."""

    command: str
    exit: int
    output: str
    errors: str


class CommandRunner:
    """Runs commands on the ring that the options `ring` select, such as `--stack prod`."""

    def __init__(self, ring: Sequence[str]) -> None:
        self._ring = tuple(ring)

    def line(self, name: str, arguments: Mapping[str, str], *, preview: bool = False) -> list[str]:
        """Return the arguments of automate.py. Raises `BadCommandError`."""
        command = COMMANDS.get(name, PageCommand(()))
        template = command.preview if preview else command.line
        if not template:
            raise BadCommandError(
                f"The page has no {'preview of' if preview else 'command'} {name}."
            )
        try:
            filled = [part.format_map(arguments) for part in template]
        except KeyError as error:
            raise BadCommandError(f"{name} needs the argument {error}.") from error
        if any("\0" in part for part in filled):
            raise BadCommandError(f"{name} takes no argument with a null character.")
        options = filled.index("--") if "--" in filled else len(filled)
        return [*filled[:options], *self._ring, *filled[options:]]

    async def run(
        self,
        name: str,
        arguments: Mapping[str, str],
        *,
        preview: bool = False,
        text: str = "",
        columns: object = None,
    ) -> Ended:
        """Run a command to its end, with a text as its input. Raises `BadCommandError`.

        It prints for a screen of so many columns, if they are a number that makes sense.
        """
        line = self.line(name, arguments, preview=preview)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(PROJECT_ROOT / "automate.py"),
            *line,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(columns),
        )
        try:
            output, errors = await process.communicate(text.encode())
        except asyncio.CancelledError:
            process.terminate()
            raise
        printed = output.decode(errors="replace")
        return Ended(
            shlex.join(["./automate.py", *line]),
            process.returncode or 0,
            printed if "--json" in line else _cut(printed),
            _cut(errors.decode(errors="replace")),
        )


def _environment(columns: object) -> dict[str, str] | None:
    if not isinstance(columns, int) or columns not in _COLUMNS:
        return None
    return {**os.environ, "COLUMNS": str(columns)}


def _cut(text: str) -> str:
    """Cut out the middle of a long text."""
    if len(text) <= 2 * _LONGEST:
        return text
    return f"{text[:_LONGEST]}\n[...]\n{text[-_LONGEST:]}"
