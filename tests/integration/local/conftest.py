"""Fixtures for tests of the local AWS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.clients import Clients
from local.endpoint.server import LocalServer


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with LocalServer() as running:
        yield running


@pytest.fixture(scope="module")
def clients(server: LocalServer) -> Iterator[Clients]:
    with Clients(server.endpoint) as made:
        yield made
