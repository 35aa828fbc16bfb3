"""Pulumi's CLI: found, run, and interrupted so that it leaves no lock."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from pulumi.automation import InvalidVersionError, PulumiCommand
from pulumi.automation._cmd import CommandResult
from pulumi.automation.errors import create_command_error

from operate.errors import CancelledError, PrerequisiteError
from ring.project import PROJECT_ROOT

BUILT = PROJECT_ROOT / ".engine"
"""Where `make engine` puts the CLI that it builds, in `bin`."""

_ADVICE = (
    "Install it (https://www.pulumi.com/docs/install/), or build it here with `make engine`, "
    "which needs go."
)

OnLine = Callable[[str], object] | None


class Cli(PulumiCommand):
    """A Pulumi CLI of this machine, which one thread runs and another may interrupt.

    `pulumi.automation` runs it in the terminal's own group of processes, and has no hand on it once
    it runs. There, Ctrl-C would reach the CLI and the providers all at once, beside the program
    that they call back. Here it is in a group of its own, and is told once, by `interrupt`.
    """

    def __init__(self, root: Path | None = None) -> None:
        """Take the `bin/pulumi` in `root`, or the one on the PATH.

        FileNotFoundError if there is none, InvalidVersionError if it is too old for the package.
        """
        super().__init__(str(root) if root else None)
        if root is None:
            self.command = shutil.which("pulumi") or "pulumi"
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self.cancelled = False

    def interrupt(self) -> None:
        """Have the CLI cancel what it does, as Ctrl-C does, and do nothing new.

        The engine finishes what it has begun, records it and lets go of the stack's lock. Called a
        second time, it drops everything at once, and the lock may stay.
        """
        with self._lock:
            self.cancelled = True
            if self._process and self._process.poll() is None:
                self._process.send_signal(signal.SIGINT)

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: OnLine = None,
        on_error: OnLine = None,
    ) -> CommandResult:
        """Run a command, as PulumiCommand does. CancelledError after `interrupt`."""
        lines: tuple[list[str], list[str]] = ([], [])
        process = self._start([self.command, *args, "--non-interactive"], cwd, additional_env)
        with process:
            readers = [
                _reader(process.stdout, lines[0], on_output),
                _reader(process.stderr, lines[1], on_error),
            ]
            try:
                _join(readers)
            except KeyboardInterrupt:  # whoever runs it in the main thread is not left hanging
                self.interrupt()
                _join(readers)
                raise
        if self.cancelled and process.returncode != 0:
            raise CancelledError("Cancelled.")
        result = CommandResult("\n".join(lines[0]), "\n".join(lines[1]), process.returncode)
        if process.returncode != 0:
            raise create_command_error(result)
        return result

    def _start(
        self, command: Sequence[str], cwd: str, more: Mapping[str, str]
    ) -> subprocess.Popen[str]:
        environment = {
            **os.environ,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            **more,
            "PULUMI_AUTOMATION_API": "true",
        }
        # The CLI looks for what comes with it, such as language hosts, on the PATH.
        place = os.path.dirname(self.command)
        environment["PATH"] = os.pathsep.join([place, environment.get("PATH", "")])
        with self._lock:
            if self.cancelled:
                raise CancelledError("Cancelled.")
            self._process = subprocess.Popen(
                command,
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                start_new_session=True,
            )
            return self._process


def find_cli() -> Cli:
    """The CLI on the PATH, or else the one that `make engine` has built.

    The one on the PATH comes first: it is the one that `pulumi up` runs on the same stacks, it has
    the language hosts, and a state that a newer CLI has written is not to meet an older one. It
    must only be new enough for the Python package that is installed. Raises `PrerequisiteError`.
    """
    refusals = []
    for root in _roots():
        try:
            return Cli(root)
        except InvalidVersionError as error:
            refusals.append(f"{(root / 'bin' / 'pulumi') if root else 'On the PATH'}: {error}")
        except (OSError, subprocess.CalledProcessError) as error:
            refusals.append(f"{root or 'On the PATH'}: {error}")
    found = " ".join(refusals) or "It is neither on the PATH nor in .engine/bin."
    raise PrerequisiteError(f"There is no Pulumi CLI that would do. {found} {_ADVICE}")


def _roots() -> Iterator[Path | None]:
    if shutil.which("pulumi"):
        yield None
    if (BUILT / "bin" / "pulumi").exists():
        yield BUILT


def _reader(stream: IO[str] | None, lines: list[str], on_line: OnLine) -> threading.Thread:
    def read() -> None:
        for line in stream or ():
            lines.append(line.rstrip())
            if on_line:
                on_line(line.rstrip())

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread


def _join(readers: Sequence[threading.Thread]) -> None:
    for reader in readers:
        reader.join()
