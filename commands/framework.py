"""What all commands have alike: --json, errors and exit codes, and the end by Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, NoReturn, TypeVar

import click

from commands.exit_codes import FAILED, OK, PREREQUISITE, USAGE
from commands.output.screen import Screen
from operate.errors import InvalidRequestError, OperateError, PrerequisiteError
from operate.rings import DeployedRing, Outcome
from operate.stop import StoppedError

"""Exit codes: fine; something differs or failed; wrong use or settings; something is missing."""


class Interrupted(SystemExit):
    """The end of a command by Ctrl-C: what still asks a region that does not answer is dropped."""


def run(main: Callable[[], object]) -> NoReturn:
    """Run the command line as a process. After Ctrl-C it waits for no thread."""
    try:
        main()
        sys.exit(OK)
    except Interrupted as end:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(str(end.code)))


class JsonAwareGroup(click.Group):
    """All commands. With --json, wrong use is answered in JSON too."""

    def main(  # type: ignore[override]
        self, args: Sequence[str] | None = None, standalone_mode: bool = True, **extra: Any
    ) -> Any:
        """Run a command, as click does."""
        given = list(sys.argv[1:] if args is None else args)
        if not standalone_mode or "--json" not in given:
            return super().main(given, standalone_mode=standalone_mode, **extra)
        try:
            return super().main(given, standalone_mode=False, **extra)
        except click.ClickException as error:
            Screen(as_json=True).error(InvalidRequestError(error.format_message()))
            sys.exit(USAGE)


def command(function: Callable[..., int]) -> Callable[..., None]:
    """Give a command --json and a `screen`; turn its errors into words and an exit code.

    The function returns the exit code. Nothing but its answer goes to stdout with --json.
    """

    @click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for scripts.")
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


def exit_code(error: OperateError | None) -> int:
    """The exit code that an error ends with."""
    if error is None:
        return OK
    if isinstance(error, PrerequisiteError):
        return PREREQUISITE
    return USAGE if isinstance(error, InvalidRequestError) else FAILED


def combined_exit_code(errors: Iterable[OperateError | None]) -> int:
    """The exit code for all: what is missing counts most, then what is wrong, then what failed."""
    codes = {exit_code(error) for error in errors}
    return next((code for code in (PREREQUISITE, USAGE, FAILED) if code in codes), OK)


def examples(*lines: str) -> str:
    """An epilog with examples, line by line as they are."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


@contextmanager
def sigterm_as_interrupt() -> Iterator[None]:
    """Let a polite kill end a command as Ctrl-C does, so that nothing of it is left behind."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


T = TypeVar("T")


def on_each_ring(
    rings: Sequence[DeployedRing], action: Callable[[DeployedRing], T]
) -> list[Outcome[T]]:
    """Do the same to one ring after the other; one that fails does not keep the others.

    Not at the same time: each may take all that its tables give, and ask its own question. Where
    one is stopped, those behind it are not begun.
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
