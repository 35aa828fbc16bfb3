"""What tests of a Store run on."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from typing import Any

import pytest

from tests.support.store_backends import (
    BENCHES,
    DYNAMO_BENCHES,
    Bench,
    DynamoBench,
    bench_params,
)


@pytest.fixture(params=bench_params())
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Every Store, one after the other."""
    with BENCHES[request.param]() as one:
        yield one


@pytest.fixture(params=DYNAMO_BENCHES)
def over_dynamodb(
    request: pytest.FixtureRequest,
) -> Callable[..., AbstractContextManager[DynamoBench]]:
    """Make a bench over each DynamoDB, one after the other."""
    return DYNAMO_BENCHES[request.param]


@pytest.fixture
def run() -> Iterator[Any]:
    """Run coroutines in one loop, which stands still between them."""
    with closing(asyncio.Runner(loop_factory=asyncio.new_event_loop)) as runner:
        yield runner.run


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as two:
        yield two
