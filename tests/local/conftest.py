"""What a local ring in a test stands on."""

import pytest

from tests.dynamodb_local import dynamodb_local


@pytest.fixture(scope="module", params=["moto", "DynamoDB Local"])
def dynamodb(request: pytest.FixtureRequest) -> str | None:
    """Where a ring's tables are: in moto, then in the DynamoDB at a URL."""
    return dynamodb_local() if request.param == "DynamoDB Local" else None
