"""Fixtures for tests of the page in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from local.ring import LocalRing
from page.server import PageServer
from tests.support.browsers import chromium, serve


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def server(ring: LocalRing, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    """The page of a file's own ring."""
    with serve(ring, tmp_path_factory.mktemp("state")) as served:
        yield served
