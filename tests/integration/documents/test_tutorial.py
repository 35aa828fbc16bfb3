"""The tutorial, as somebody follows it: its program and commands, on a ring of this machine."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ring.project import PROJECT_ROOT

pytestmark = pytest.mark.long

TUTORIAL = (PROJECT_ROOT / "docs/tutorial/first-ring.md").read_text()
URL = "http://127.0.0.1:8000"
_BLOCKS = re.findall(r"```console\n(.*?)```", TUTORIAL, re.DOTALL)
COMMANDS = [command for block in _BLOCKS for command in re.findall(r"^\$ (.*)$", block, re.M)]
_TIMEOUT = 60


@pytest.fixture
def endpoint() -> Iterator[str]:
    """Run the tutorial's first ring, at a free port."""
    command = [sys.executable, "automate.py", "local", "--port", "0", "--no-page"]
    with subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True) as ring:
        assert ring.stdout
        found = None
        while found is None:
            line = ring.stdout.readline()
            assert line, "the ring did not start"
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
        yield found[0]
        ring.terminate()


def run(command: str, endpoint: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of the tutorial against a ring."""
    words = command.replace(URL, endpoint)
    words = words.replace(".venv/bin/python", sys.executable)
    words = words.replace("./automate.py", f"{sys.executable} {PROJECT_ROOT}/automate.py")
    words = words.replace("--stack dev", f"--stack dev --folder {PROJECT_ROOT}")
    return subprocess.run(
        words, shell=True, cwd=folder, capture_output=True, text=True, timeout=_TIMEOUT, check=False
    )


def test_the_tutorial_works_as_written(endpoint: str, tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", TUTORIAL, re.DOTALL)
    (tmp_path / "orders.py").write_text(program.replace(URL, endpoint))
    expected = 0
    for command in COMMANDS:
        if command == "make setup" or command.startswith("./automate.py local"):
            continue
        if "--all" in command:
            expected = 0
        looks = command.startswith(("./automate.py redrive", "./automate.py check"))
        ended = run(command, endpoint, tmp_path)
        assert ended.returncode == (expected if looks else 0), (command, ended.stdout, ended.stderr)
        if "fault poison" in command:
            wait_for_quarantine(endpoint, tmp_path)
            expected = 1  # both commands say so


def wait_for_quarantine(endpoint: str, folder: Path) -> None:
    """Wait until `redrive` lists an entry, which ends with 1."""
    for _ in range(20):
        if run(f"./automate.py redrive --local {URL}", endpoint, folder).returncode == 1:
            return
    pytest.fail("nothing came into the quarantine")
