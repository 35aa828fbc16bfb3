"""What holds for all tests."""

import asyncio
import gc
import signal
from collections.abc import Iterator

import pytest

from local.memory import collect_less_often
from tests.support import botocore_once

# A shell that runs the tests in the background has them ignore Ctrl-C; what they start would
# inherit that, and never end where a test interrupts it.
signal.signal(signal.SIGINT, signal.default_int_handler)

botocore_once.do_once()

# At the default of 700 new objects, a fifth of the tests' time went into collecting.
collect_less_often()


@pytest.fixture
def event_loop_of_its_own() -> Iterator[None]:
    """Give Pulumi's mocks an event loop: an asyncio.run() before leaves none behind."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    loop.close()
    asyncio.set_event_loop(None)


_LONGEST = (
    *("mutation", "engine/test_trial.py", "integration/documents", "engine/test_trial_broken.py"),
    *("engine", "simulation", "exhaust", "integration/page", "permissions", "integration"),
)
"""Folders and files whose tests are begun first, in this order."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long: the others fill the gap while one worker is at the last of it."""
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    path = item.path.as_posix()
    places = (place for place, part in enumerate(_LONGEST) if f"/tests/{part}" in path)
    return next(places, len(_LONGEST))


def pytest_collection_finish() -> None:
    """Let the collector leave out all that is there before the tests."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """Collect nothing more: what pytest imports after the tests is compiled (see below)."""
    gc.disable()


_PULUMI = {"component", "engine", "examples", "ring"}
"""Folders whose tests run Pulumi programs, which leave coroutines behind."""


@pytest.fixture(scope="module", autouse=True)
def leftovers_collected(request: pytest.FixtureRequest) -> Iterator[None]:
    """Collect what a file's tests have left behind before the next file's begin.

    Python 3.11 fails to compile ("AST constructor recursion depth mismatch") what happens to be
    compiled while it collects a coroutine.
    """
    yield
    if _PULUMI & {*request.path.parts}:
        gc.collect()
        gc.freeze()
