"""Memory and open descriptors of a process and its children, sampled from /proc."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Self

_PROC = Path("/proc")
_SECONDS = 1.0
_SHARE = 10
"""A median is of a tenth of the samples."""


@dataclass(frozen=True)
class Sample:
    """A process at a moment: its resident memory in MB, its open descriptors, its threads."""

    when: float
    memory: float
    descriptors: int
    threads: int


@dataclass(frozen=True)
class Growth:
    """Medians of a process: when it was warm, and in the end."""

    process: str
    memory: tuple[float, float]
    descriptors: tuple[int, int]
    threads: tuple[int, int]


class Monitor:
    """Samples this process and its children every second, while the context lasts.

    A child is known by its function: a function whose process is killed gets another.
    `is_possible` is false on systems without /proc.
    """

    is_possible = (_PROC / "self" / "status").exists()

    def __init__(self) -> None:
        self._samples: dict[str, list[Sample]] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="monitor", daemon=True)

    def __enter__(self) -> Self:
        if self.is_possible:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self.is_possible:
            self._thread.join()

    def growth(self, warm: float) -> list[Growth]:
        """Return the growth of each process from the moment `warm` (of `time.monotonic`) on."""
        found = []
        for process, samples in self._samples.items():
            later = [sample for sample in samples if sample.when >= warm]
            count = max(1, len(later) // _SHARE)
            if later:
                found.append(_growth(process, later[:count], later[-count:]))
        return found

    def _run(self) -> None:
        while not self._ended.wait(_SECONDS):
            for process, pid in _processes():
                if sample := _sample(pid):
                    self._samples.setdefault(process, []).append(sample)


def _growth(process: str, first: list[Sample], last: list[Sample]) -> Growth:
    def medians(name: str) -> tuple[float, float]:
        before, after = (median(getattr(one, name) for one in part) for part in (first, last))
        return before, after

    descriptors, threads = medians("descriptors"), medians("threads")
    return Growth(
        process,
        medians("memory"),
        (int(descriptors[0]), int(descriptors[1])),
        (int(threads[0]), int(threads[1])),
    )


def _processes() -> Iterator[tuple[str, int]]:
    yield "the ring", os.getpid()
    for folder in _PROC.iterdir():
        try:
            # The name, in parentheses, may hold anything.
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if folder.name.isdecimal() and int(fields[1]) == os.getpid():
                variables = (folder / "environ").read_bytes().split(b"\0")
                names = dict(part.decode().partition("=")[::2] for part in variables if part)
                yield names["AWS_LAMBDA_FUNCTION_NAME"], int(folder.name)
        except (OSError, LookupError, ValueError):
            continue  # it is no function, or none yet, or has just ended


def _sample(pid: int) -> Sample | None:
    try:
        lines = (_PROC / str(pid) / "status").read_text().splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        memory = int(fields["VmRSS"].split()[0]) / 1024
        descriptors = len(os.listdir(_PROC / str(pid) / "fd"))
    except (OSError, KeyError, ValueError):
        return None
    return Sample(time.monotonic(), memory, descriptors, int(fields["Threads"]))
