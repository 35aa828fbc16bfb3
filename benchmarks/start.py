"""Measure an invocation: latency without the target's, cold start, and memory."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.contenders import Contender, contenders, environment
from benchmarks.records import Load
from benchmarks.screen import Screen, number, times
from benchmarks.speed import one_core
from benchmarks.target import Conduct, target
from ring.project import PROJECT_ROOT

_STARTS = 7

HANDLER = """
import time; began = time.perf_counter()
import contextlib, io, json, sys
from handler import app
imported = time.perf_counter()
class Context:
    def get_remaining_time_in_millis(self): return 900_000
event = json.load(open(sys.argv[1]))
read = time.perf_counter()
with contextlib.redirect_stdout(io.StringIO()):
    assert app.handle(event, Context()) == {"batchItemFailures": []}
done = time.perf_counter()
"""
_BOTO3 = """
import time; began = time.perf_counter()
import json, sys
import boto3
imported = time.perf_counter()
records = json.load(open(sys.argv[1]))["Records"]
read = time.perf_counter()
client = boto3.client("dynamodb", region_name="eu-west-1")
for record in records:
    client.put_item(TableName="orders", Item=record["dynamodb"]["NewImage"],
                    ConditionExpression="attribute_not_exists(k)")
done = time.perf_counter()
"""
_PRINT_TIMES = """
print(json.dumps([(imported - began) * 1000, (done - read) * 1000]))
"""
# Not getrusage's ru_maxrss: in Linux it includes the memory before exec, when the process was a
# copy of this one, which is larger.
# https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
_PRINT_PEAK = """
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps([int(status["VmHWM"].split()[0]) / 1024]))
"""
_NOTHING = "import json, sys; event = json.load(open(sys.argv[1]))"


def latency(screen: Screen, scale: float) -> None:
    """Print the latency of an invocation with one record, at a target without latency."""
    count = max(20, int(500 * scale))
    rows = []
    with target(Conduct()) as endpoint, contenders(endpoint) as (one_by_one, *_, hop), one_core():
        named = [("(a) one PutItem", one_by_one), ("this hop", hop)]
        for name, contender in screen.progress("From event to stored", named):
            taken = _latencies(contender, count)
            middle, high = statistics.median(taken), statistics.quantiles(taken, n=100)[98]
            rows.append([name, number(middle), number(high)])
    title = f"From event to stored: one update of 200 bytes an invocation, {count} times, 0 ms"
    screen.table(title, ["", "p50 ms", "p99 ms"], rows)


def _latencies(contender: Contender, count: int) -> list[float]:
    records = Load("updates", count=count + 20).records()
    taken = []
    for record in records:
        began = time.perf_counter()
        contender.replicate([record])
        taken.append((time.perf_counter() - began) * 1000)
    return taken[20:]


def cold_start(screen: Screen, scale: float) -> None:
    """Print the time from the start of a process to its first completed write."""
    rows: list[list[str]] = []
    count = max(3, int(_STARTS * scale))
    programs = {"boto3 and one PutItem": _BOTO3, "this hop": HANDLER}
    base = 0.0
    for name, program in screen.progress("Cold start", list(programs.items())):
        runs = [
            run_program(program + _PRINT_TIMES, Load("updates", count=1), Conduct())
            for _ in range(count)
        ]
        imported, first = (statistics.median(run[place] for run in runs) for place in (0, 1))
        base = base or imported + first
        whole = imported + first
        rows.append([name, number(imported), number(first), number(whole), times(whole / base)])
    columns = ["", "import ms", "clients and first write ms", "together ms", "of boto3's"]
    screen.table(f"Cold start: median of {count} processes, 0 ms", columns, rows)


def memory(screen: Screen, scale: float) -> None:
    """Print the peak memory of a process with a batch, up to Lambda's 6 MB."""
    rows: list[list[str]] = []
    sizes = [(200, 1), (200, 500), (200, 10_000), (2_000, 2_500), (50_000, 100), (390_000, 12)]
    loads = [Load(kind, *size) for kind in ("inserts", "updates") for size in sizes]
    for load in screen.progress("Memory", loads):
        few = replace(load, count=max(1, int(load.count * scale)))
        peaks = [
            run_program(program + _PRINT_PEAK, few, Conduct())[0]
            for program in (_NOTHING, _BOTO3, HANDLER)
        ]
        name = f"{few.count:,} {few.kind} of {few.size:,} B"
        rows.append([name, *(f"{peak:.0f}" for peak in peaks)])
    title = "Memory: the most that a process held, in MB"
    columns = ["", "Python and the event", "boto3, one PutItem each", "this hop"]
    screen.table(title, columns, rows)


def run_program(
    program: str,
    load: Load,
    conduct: Conduct,
    meanwhile: Callable[[subprocess.Popen[str]], object] = lambda process: process,
) -> Sequence[float]:
    """Run a program on a load in a new process; return the numbers that it prints."""
    with tempfile.TemporaryDirectory() as folder, target(conduct) as endpoint:
        event = Path(folder) / "event.json"
        event.write_text(json.dumps({"Records": load.records()}))
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(event)],
            cwd=PROJECT_ROOT,
            env={**os.environ, **environment(endpoint)},
            stdout=subprocess.PIPE,
            text=True,
        )
        meanwhile(process)
        output, _ = process.communicate()
    numbers: list[float] = json.loads(output)
    return numbers
