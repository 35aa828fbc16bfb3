"""Arguments of resources are validated by the types of Pulumi's AWS provider."""

import pytest

from local.cloud.resources import RESOURCE_TYPES
from local.cloud.validation import failures


@pytest.mark.parametrize("token", RESOURCE_TYPES)
def test_an_argument_that_a_resource_type_does_not_have_is_rejected(token: str) -> None:
    assert [failure.property for failure in failures(token, {"tags2": "?"})] == ["tags2"]
