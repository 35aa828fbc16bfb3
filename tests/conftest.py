"""What holds for all tests."""

import asyncio
import gc
import signal
from collections.abc import Iterator
from functools import cache

import botocore.session
import pytest

# A shell that runs the tests in the background has them ignore Ctrl-C; what they start would
# inherit that, and never end where a test interrupts it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Each session would parse the same megabytes of JSON again.
setattr(botocore.session, "create_loader", cache(botocore.session.create_loader))  # noqa: B010


@pytest.fixture
def event_loop_of_its_own() -> Iterator[None]:
    """Give Pulumi's mocks an event loop: an asyncio.run() before leaves none behind."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    loop.close()
    asyncio.set_event_loop(None)


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
