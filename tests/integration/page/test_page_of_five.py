"""The page of a ring of five members, on a phone: the two at the bottom are close together."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from local.ring import LocalRing
from page.server import PageServer
from tests.support.local_rings import ring_of

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def ring(browser: Browser) -> Iterator[LocalRing]:
    with ring_of(5) as five:
        yield five


@pytest.mark.parametrize("width", [360, 1280])
def test_each_hop_is_seen_between_its_members(
    browser: Browser, server: PageServer, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 740})
    page.goto(server.address)
    expect(page.locator("#ring path.hop")).to_have_count(5)
    lengths = page.locator("#ring path.hop").evaluate_all("all => all.map(p => p.getTotalLength())")
    assert min(lengths) > 40
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()
