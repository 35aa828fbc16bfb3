"""Run commands on the demo's ring as an operator does, and show them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from local.demo.story import Story


def run_command(story: Story, automate: Path, arguments: Sequence[str]) -> int:
    """Run a command of automate.py on the ring, print it and its output; return its exit code."""
    given = [*arguments, "--local", story.ring.endpoint]
    story.print(f"$ ./automate.py {' '.join(given)}")
    ended = subprocess.run(
        [sys.executable, str(automate), *given],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    for line in ended.stdout.splitlines():
        story.print(line)
    return ended.returncode
