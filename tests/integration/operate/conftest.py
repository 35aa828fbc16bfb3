"""Fixtures of tests of operations over one hop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from handler.config import HopConfig
from operate.quarantine.redrive import HopAccess
from tests.support.lambda_functions import (
    Ring,
    environment,
    ring_of_three,
)


@pytest.fixture
def ring() -> Iterator[Ring]:
    with ring_of_three() as three:
        yield three


@pytest.fixture
def reach(ring: Ring) -> HopAccess:
    """The hop from the first member to the second, with the operator's clients."""
    here, there, _ = (member.client for member in ring.members)
    return HopAccess(HopConfig.read(environment(0, 1)), ring.s3, here, there)
