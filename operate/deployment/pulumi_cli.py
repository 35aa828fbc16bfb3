"""Find, run and interrupt Pulumi's CLI, so that it leaves no lock."""

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
"""Folder in which `make engine` builds the CLI, in `bin`."""

_ADVICE = (
    "Install it (https://www.pulumi.com/docs/install/), or build it with `make engine`, which "
    "needs go."
)

OnLine = Callable[[str], object] | None


class Cli(PulumiCommand):
    """A Pulumi CLI of this machine, which one thread runs and another may interrupt.

    `pulumi.automation` runs it in the terminal's process group and cannot signal it. There, Ctrl-C
    would reach the CLI and its providers at once, and the program that they call back. Here it has
    a process group of its own, and only `interrupt` signals it.
    """

    def __init__(self, root: Path | None = None) -> None:
        """Use `bin/pulumi` in `root`, or the one on the PATH.

        Raises:
            FileNotFoundError: There is none.
            InvalidVersionError: It is too old for the installed Python package.
        """
        super().__init__(str(root) if root else None)
        if root is None:
            self.command = shutil.which("pulumi") or "pulumi"
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._is_cancelled = False

    def interrupt(self) -> None:
        """Cancel the running command as Ctrl-C does, and refuse new ones.

        The engine finishes the resources in progress, records them and releases the stack's lock.
        A second call ends it at once, and the lock may stay.
        """
        with self._lock:
            self._is_cancelled = True
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
        """Run a command, as PulumiCommand does. Raises `CancelledError` after `interrupt`."""
        lines: tuple[list[str], list[str]] = ([], [])
        process = self._start([self.command, *args, "--non-interactive"], cwd, additional_env)
        with process:
            readers = [
                _reader(process.stdout, lines[0], on_output),
                _reader(process.stderr, lines[1], on_error),
            ]
            try:
                _join(readers)
            except KeyboardInterrupt:  # only in the main thread
                self.interrupt()
                _join(readers)
                raise
        if self._is_cancelled and process.returncode != 0:
            raise CancelledError("Cancelled.")
        result = CommandResult("\n".join(lines[0]), "\n".join(lines[1]), process.returncode)
        if process.returncode != 0:
            raise create_command_error(result)
        return result

    def _start(
        self, command: Sequence[str], cwd: str, variables: Mapping[str, str]
    ) -> subprocess.Popen[str]:
        environment = {
            **os.environ,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            **variables,
            "PULUMI_AUTOMATION_API": "true",
        }
        # The CLI looks for its own programs, such as language hosts, on the PATH.
        folder = os.path.dirname(self.command)
        environment["PATH"] = os.pathsep.join([folder, environment.get("PATH", "")])
        with self._lock:
            if self._is_cancelled:
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
    """Return the CLI on the PATH, or the one that `make engine` has built.

    The one on the PATH comes first: `pulumi up` runs it on the same stacks, it has the language
    hosts, and an older CLI must not read a state written by a newer one. It must be new enough for
    the installed Python package. Raises `PrerequisiteError`.
    """
    reasons = []
    for root in _roots():
        try:
            return Cli(root)
        except InvalidVersionError as error:
            reasons.append(f"{(root / 'bin' / 'pulumi') if root else 'On the PATH'}: {error}")
        except (OSError, subprocess.CalledProcessError) as error:
            reasons.append(f"{root or 'On the PATH'}: {error}")
    reason = " ".join(reasons) or "It is neither on the PATH nor in .engine/bin."
    raise PrerequisiteError(f"No usable Pulumi CLI was found. {reason} {_ADVICE}")


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
