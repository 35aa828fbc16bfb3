"""What a local ring in a test stands on."""

import pytest

from tests.support.dynamodb_servers import ministack


@pytest.fixture(scope="module", params=["moto", "MiniStack"])
def dynamodb(request: pytest.FixtureRequest) -> str | None:
    """Where a ring's tables are: in moto, then in the DynamoDB at a URL."""
    return ministack() if request.param == "MiniStack" else None
