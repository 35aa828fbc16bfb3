"""What tests of a Store run on."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from tests.support.store_backends import BENCHES, DYNAMO_BENCHES, Bench, DynamoBench


@pytest.fixture(params=BENCHES)
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
