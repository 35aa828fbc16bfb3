"""Somebody who follows a document: types its commands in a clone, and answers yes when asked."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from operate.deployment.pulumi_cli import BUILT
from ring.project import PROJECT_ROOT
from tests.support.documents import Block, Command

URL = "http://127.0.0.1:8000"
"""Endpoint of the ring in all documents; here it has a free port."""
_OTHERS = {"tests", "benchmarks", "site", "build"}
_TIMEOUT = 300.0
# The page and the ring take free ports, and nothing is set up that is there.
_IN_A_TERMINAL_OF_ITS_OWN = {
    "./automate.py local": " --port 0",
    "make local": " PORT=0",
    "./automate.py watch": " --port 0",
}
_ADDRESS = re.compile(r"(?:Ring of .* at |at work: |^)(http://127\.0\.0\.1:\d+)(/#)?", re.MULTILINE)


def clone(folder: Path) -> Path:
    """Copy the project without its tests, and with the environment that `make setup` makes."""

    def left_out(place: str, names: list[str]) -> set[str]:
        at_the_top = Path(place) == PROJECT_ROOT
        hidden = {name for name in names if name.startswith(".")} | _OTHERS if at_the_top else set()
        return hidden | {"__pycache__"}

    shutil.copytree(PROJECT_ROOT, folder, ignore=left_out)
    (folder / ".venv").symlink_to(sys.prefix)
    if BUILT.exists():
        (folder / ".engine").symlink_to(BUILT)
    return folder


class Reader:
    """Runs commands in a folder, as they stand but for the port of a ring."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.endpoint = URL
        self._environment = {**os.environ, "COLUMNS": "100", **(environment or {})}
        self._saved: dict[str, str] = {}
        self._running: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.press_ctrl_c()

    def follow(self, block: Block) -> None:
        """Save a block that has a file's name; else run its commands, and check how they end."""
        if block.file:
            self._saved[block.file] = block.text
            self._save_for_the_ring()
        elif block.language == "console":
            for command in block.commands():
                self.type(command)

    def type(self, command: Command) -> None:
        """Run a command. What is to fail may take a while to do so: it is repeated."""
        if export := re.fullmatch(r"export (\w+)=(\S*)", command.text):
            self._environment[export[1]] = export[2].strip("'")
            return
        for beginning, free in _IN_A_TERMINAL_OF_ITS_OWN.items():
            if command.text.startswith(beginning):
                self._start(command.text + free)
                return
        end = time.monotonic() + _TIMEOUT
        code, output = self._run(command.text)
        while code != command.exit_code and command.exit_code and time.monotonic() < end:
            code, output = self._run(command.text)
        assert code == command.exit_code, f"{command.text}\n{output}"

    def press_ctrl_c(self) -> None:
        """End what runs in the other terminal."""
        if self._running is None:
            return
        with self._running as process:
            self._running = None
            rest = _press_ctrl_c(process)
        assert "Traceback" not in rest, rest

    def _start(self, text: str) -> None:
        watches = text.startswith("./automate.py watch")
        if not watches:
            self.press_ctrl_c()
        process = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {self._typed(text)}"],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        address = _address_of(process, is_page=watches)
        if watches:  # the page only, while the ring goes on
            _press_ctrl_c(process)
            return
        self._running, self.endpoint = process, address
        self._save_for_the_ring()

    def _save_for_the_ring(self) -> None:
        """Save all files again: the next ring has another port."""
        for name, text in self._saved.items():
            (self.folder / name).write_text(text.replace(URL, self.endpoint))

    def _run(self, text: str) -> tuple[int, str]:
        """Run a command in a terminal; return its exit code and what it printed."""
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            self._typed(text),
            shell=True,
            cwd=self.folder,
            env=self._environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        ) as process:
            os.close(theirs)
            os.write(ours, b"y\n" * 5)
            output = _read_all(ours)
            code = process.wait(_TIMEOUT)
        return code, output

    def _typed(self, text: str) -> str:
        text = text.replace(URL, self.endpoint)
        return re.sub(r"^make ", "make --silent --old-file=.venv/.ready ", text)


def _press_ctrl_c(process: subprocess.Popen[str]) -> str:
    """Interrupt all that a terminal runs, and return the rest of what it printed."""
    os.killpg(process.pid, signal.SIGINT)
    return process.communicate(timeout=_TIMEOUT)[0]


def _address_of(process: subprocess.Popen[str], *, is_page: bool) -> str:
    """Return the address that a process prints: of its ring, or of its page."""
    assert process.stdout
    printed = []
    for line in process.stdout:
        printed.append(line)
        found = _ADDRESS.search(line)
        if found and bool(found[2]) == is_page:
            return found[1]
    pytest.fail(f"it ended: {''.join(printed)}")


def _read_all(terminal: int) -> str:
    """Read a terminal until its program ends."""
    printed = []
    try:
        while select.select([terminal], [], [], _TIMEOUT)[0]:
            read = os.read(terminal, 65536)
            if not read:
                break
            printed.append(read)
    except OSError:  # Linux: its program has closed it
        pass
    finally:
        os.close(terminal)
    return b"".join(printed).decode(errors="replace")
