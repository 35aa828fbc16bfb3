"""Compare the cost of a function's memory with the duration of its batches.

Lambda gives processor time in proportion to memory, one core at 1,769 MB:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
Here the process is stopped for the rest of each period, like by a scheduler with a quota.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time

from benchmarks.records import Load
from benchmarks.screen import Screen, number
from benchmarks.start import HANDLER, run_program
from benchmarks.target import Conduct

_CORE = 1769
_SIZES = (256, 512, 1024, 1769)
_PERIOD = 0.02
_DOLLARS = 0.0000133334
"""For a GB second on arm64, in us-east-1: https://aws.amazon.com/lambda/pricing/"""
_AGAIN = """
began = time.perf_counter()
with contextlib.redirect_stdout(io.StringIO()):
    app.handle(event, Context())
again = time.perf_counter() - began
print(json.dumps([again]))
"""


def run(screen: Screen, scale: float) -> None:
    """Print duration and cost of batches of each kind."""
    count = max(50, int(500 * scale))
    kinds = ("inserts", "mixed")
    rows: list[list[str]] = []
    for memory in screen.progress("Memory and time", _SIZES):
        cells = [f"{memory:,} MB"]
        for kind in kinds:
            seconds = _seconds(Load(kind, count=count), memory)
            dollars = seconds * memory / 1024 * _DOLLARS * 1_000_000 / count
            cells += [number(seconds * 1000), f"{dollars:.3f}"]
        rows.append(cells)
    columns = ["", *(text for kind in kinds for text in (f"{kind}: ms", "$ a million"))]
    title = f"By the function's memory: a batch of {count} of 200 bytes in a warm process, 20 ms"
    screen.table(title, columns, rows)


def _seconds(load: Load, memory: int) -> float:
    """Return the duration of a batch in a warm process."""
    share = min(1.0, memory / _CORE)
    (again,) = run_program(
        HANDLER + _AGAIN, load, Conduct(20), lambda process: _hold(process, share)
    )
    return again


def _hold(process: subprocess.Popen[str], share: float) -> None:
    """Limit a process to a share of a core until it ends."""
    while process.poll() is None:
        time.sleep(_PERIOD * share)
        if share < 1 and process.poll() is None:
            os.kill(process.pid, signal.SIGSTOP)
            time.sleep(_PERIOD * (1 - share))
            os.kill(process.pid, signal.SIGCONT)
