"""Tests run on the project without one of its parts, each time in a process of its own.

The processes are forked from one that has read boto3, moto and hypothesis already: to import them
again takes longer than most tests.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from multiprocessing import get_context

import pytest

from ring.project import PROJECT_ROOT
from tests.mutation.cut import Cut, without

_PARTS = ("handler", "operate", "local", "ring", "tests", "pyproject.toml")
_QUICKLY = ["-x", "--assert=plain", "-p", "no:cacheprovider"]
_READ_ALREADY = ["pytest", "hypothesis", "boto3", "moto.dynamodb.models", "moto.s3.models"]


class _Failures:
    """A plugin of pytest that hears which tests have failed."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # One that cannot be set up has seen nothing.
        if report.failed and report.when == "call":
            self.names.add(report.nodeid.partition("[")[0])


def failing_without(cut: Cut, tests: Sequence[str]) -> set[str]:
    """Which of some tests fail on the project with a cut, in this process; ids as pytest's.

    Raises:
        MutantError: see ``tests.mutation.cut.without``.
    """
    failures = _Failures()
    with without(cut, _PARTS) as folder, open(os.devnull, "w") as nowhere:
        os.chdir(folder)
        sys.path[:] = [
            str(folder),
            *(path for path in sys.path if path not in ("", str(PROJECT_ROOT))),
        ]
        with redirect_stdout(nowhere), redirect_stderr(nowhere):
            pytest.main([*_QUICKLY, *tests], plugins=[failures])
        os.chdir(PROJECT_ROOT)
    return failures.names


@contextmanager
def trials() -> Iterator[ProcessPoolExecutor]:
    """Where ``failing_without`` is run: nothing of one run is left in the next."""
    context = get_context("forkserver")
    context.set_forkserver_preload(_READ_ALREADY)
    with ProcessPoolExecutor(os.cpu_count(), context, max_tasks_per_child=1) as pool:
        yield pool
