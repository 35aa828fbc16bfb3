"""Fixtures for tests of a local ring."""

import pytest

from tests.support.dynamodb_servers import ministack


@pytest.fixture(scope="module", params=["moto", pytest.param("MiniStack", marks=pytest.mark.long)])
def dynamodb(request: pytest.FixtureRequest) -> str | None:
    """URL of the DynamoDB server that holds the tables; None for moto."""
    return ministack() if request.param == "MiniStack" else None
