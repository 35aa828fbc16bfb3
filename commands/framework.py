"""Shared by all commands: --json, help, errors, exit codes, and Ctrl-C."""

from __future__ import annotations

import os
import re
import sys
from collections import UserDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from importlib import import_module
from typing import Any, NoReturn, TypeVar

import click

from commands.exit_codes import FAILED, OK, PREREQUISITE, USAGE
from commands.interrupts import sigterm_as_interrupt
from commands.output.encoding import escape_unencodable
from commands.output.screen import Screen
from operate.errors import InvalidRequestError, OperateError, PrerequisiteError
from operate.rings import DeployedRing, Outcome
from operate.stop import StoppedError


class Interrupted(SystemExit):
    """End of a command by Ctrl-C, without waiting for requests to regions that are down."""


def run(main: Callable[[], object]) -> NoReturn:
    """Run the command line as a process. After Ctrl-C it does not wait for threads.

    What the terminal's encoding does not have is printed as escapes.
    """
    escape_unencodable(sys.stdout)
    escape_unencodable(sys.stderr)
    try:
        main()
        sys.exit(OK)
    except Interrupted as end:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(str(end.code)))


class LazyCommands(UserDict[str, Any]):
    """Commands by name. A command's module is imported when it is used: all take a second.

    `places` are the commands' places, as `commands.cost.cost`. `on_missing` is called where a
    package is missing.
    """

    def __init__(
        self, places: Mapping[str, str], on_missing: Callable[[ModuleNotFoundError], NoReturn]
    ) -> None:
        super().__init__(places)
        self._on_missing = on_missing

    def __getitem__(self, name: str) -> click.Command:
        """Import a command."""
        module, _, attribute = self.data[name].rpartition(".")
        try:
            command: click.Command = getattr(import_module(module), attribute)
        except ModuleNotFoundError as missing:
            self._on_missing(missing)
        return command


_UNBROKEN = "\N{NON-BREAKING HYPHEN}"


class HelpFormatter(click.HelpFormatter):
    """Help text of which no line is broken at a hyphen: options and regions have them."""

    def write_text(self, text: str) -> None:
        """Write wrapped text. See click."""
        super().write_text(text.replace("-", _UNBROKEN))

    def write_dl(self, rows: Iterable[tuple[str, str]], *args: Any, **options: Any) -> None:
        """Write a list of definitions, these wrapped. See click."""
        unbroken = [(term, text.replace("-", _UNBROKEN)) for term, text in rows]
        super().write_dl(unbroken, *args, **options)

    def write(self, string: str) -> None:
        """Write text as it is. See click."""
        super().write(string.replace(_UNBROKEN, "-"))


class HelpContext(click.Context):
    """Context of a command that writes its help with `HelpFormatter`."""

    formatter_class = HelpFormatter


class CommandGroup(click.Group):
    """Group of commands, whose help cuts none of their texts."""

    context_class = HelpContext

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands. Long texts are wrapped, where click cuts them. See click."""
        commands = {name: self.commands[name] for name in self.list_commands(ctx)}
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, one.get_short_help_str(200)) for name, one in commands.items()]
            )


class JsonAwareGroup(CommandGroup):
    """All commands. With --json, invalid use is reported in JSON too."""

    def main(  # type: ignore[override]
        self, args: Sequence[str] | None = None, standalone_mode: bool = True, **extra: Any
    ) -> Any:
        """Run a command. See click."""
        given = list(sys.argv[1:] if args is None else args)
        if not standalone_mode or "--json" not in given:
            return super().main(given, standalone_mode=standalone_mode, **extra)
        try:
            return super().main(given, standalone_mode=False, **extra)
        except click.ClickException as error:
            Screen(as_json=True).error(InvalidRequestError(error.format_message()))
            sys.exit(USAGE)


def command(function: Callable[..., int]) -> Callable[..., None]:
    """Add --json and a `screen`, and print errors. The function returns the exit code.

    With --json, only the JSON document goes to stdout.
    """

    @click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
    @wraps(function)
    def command(as_json: bool, **given: Any) -> None:
        screen = Screen(as_json)
        try:
            with sigterm_as_interrupt():
                code = function(screen=screen, **given)
        except OperateError as error:
            screen.error(error)
            code = exit_code(error)
        except KeyboardInterrupt:
            screen.print("Cancelled.")
            raise Interrupted(FAILED) from None
        sys.exit(code)

    return command


class RingOption(click.Option):
    """Option that selects or describes a ring: listed under a heading of its own."""


class RingCommand(click.Command):
    """Command whose own options come first in its help, and those about the ring last."""

    context_class = HelpContext

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options in two sections. See click."""
        sections: dict[str, list[tuple[str, str]]] = {"Options": [], "Ring": []}
        for param in self.get_params(ctx):
            if isinstance(param, click.Option) and (record := param.get_help_record(ctx)):
                sections["Ring" if isinstance(param, RingOption) else "Options"].append(record)
        # --json and --help are the first and the last parameter: both at the end of the section.
        own = sections["Options"]
        json_first = bool(own) and own[0][0].startswith("--json")
        sections["Options"] = [*own[1:-1], own[0], own[-1]] if json_first else own
        for heading, rows in sections.items():
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)


def exit_code(error: OperateError | None) -> int:
    """Return the exit code of an error."""
    if error is None:
        return OK
    if isinstance(error, PrerequisiteError):
        return PREREQUISITE
    return USAGE if isinstance(error, InvalidRequestError) else FAILED


def combined_exit_code(errors: Iterable[OperateError | None]) -> int:
    """Return the most severe exit code: a prerequisite, then invalid use, then a failure."""
    codes = {exit_code(error) for error in errors}
    return next((code for code in (PREREQUISITE, USAGE, FAILED) if code in codes), OK)


_EXAMPLE_WIDTH = 60


def examples(*commands: str) -> str:
    """Format examples as an epilog. Long ones continue on further lines, before an option."""
    lines = [line for text in commands for line in _continued(text)]
    return "\n".join(["\b", "Examples:", *lines])


def _continued(text: str) -> list[str]:
    first, *options = re.split(r" (?=--)", text)
    lines = [f"  {first}"]
    for option in options:
        if len(f"{lines[-1]} {option} \\") <= _EXAMPLE_WIDTH:
            lines[-1] += f" {option}"
        else:
            lines[-1] += " \\"
            lines.append(f"      {option}")
    return lines


T = TypeVar("T")


def on_each_ring(
    rings: Sequence[DeployedRing], action: Callable[[DeployedRing], T]
) -> list[Outcome[T]]:
    """Run an action on one ring after the other. A failure does not stop the others.

    Not in parallel: each may use the whole capacity of its tables, and asks its own questions.
    After a stop, no further ring is started.
    """
    ended = []
    for ring in rings:
        try:
            ended.append(Outcome(ring, result=action(ring)))
        except OperateError as error:
            ended.append(Outcome(ring, error=error))
            if isinstance(error, StoppedError):
                break
    return ended
