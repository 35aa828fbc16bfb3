"""The page on a telephone: with long names and data in every section, nothing scrolls sideways."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from local.ring import LocalRing
from local.stack_config import StackConfig
from page.server import PageServer
from tests.support.local_rings import PATIENCE, get, item, put

pytestmark = pytest.mark.long

WIDTH = 360
LONG_TABLE = "customer-orders-of-the-second-warehouse_archived.before-the-migration"
LONG_VALUE = "arn:aws:s3:::a-bucket-whose-name-has-no-space/" + "0123456789abcdef" * 20
KEY = "an-order-" + "x" * 120
MEMBERS = [
    {"region": "us-east-1"},
    {"region": "ap-northeast-3", "table": LONG_TABLE},
    {"region": "eu-west-1"},
]
_TOO_WIDE = """() => {
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    if (element.closest(".unseen, thead") || !element.getClientRects().length) continue;
    const name = `${element.tagName}.${element.getAttribute("class") ?? ""}#${element.id}`;
    const { left, right } = element.getBoundingClientRect();
    if (left < -0.5 || right > innerWidth + 0.5) found.push(`${name}: ${left} to ${right}`);
    const isScrolled = element.scrollWidth > element.clientWidth + 1;
    if (isScrolled && /auto|scroll|hidden/.test(getComputedStyle(element).overflowX))
      found.push(`${name}: ${element.scrollWidth} in ${element.clientWidth}`);
  }
  return found;
}"""
Scheme = Literal["light", "dark"]


@pytest.fixture(scope="module")
def ring(browser: Browser) -> Iterator[LocalRing]:
    """A ring with long names that has had a conflict of long values."""
    settings = {
        "table": {"name": "orders", "partition_key": {"name": "id", "type": "S"}},
        "members": MEMBERS,
        "function": {"log_items": True},
    }
    with LocalRing(StackConfig.of(settings), idle=0.02) as long:
        with long.paused():
            put(long, "us-east-1", item(KEY, colour={"S": LONG_VALUE}, same={"N": "1"}))
            put(long, "eu-west-1", item(KEY, colour={"S": LONG_VALUE[::-1]}, same={"N": "1"}))
        long.wait_until_quiet(PATIENCE)
        long.flush()
        yield long


@contextmanager
def opened(
    browser: Browser, server: PageServer, scheme: Scheme = "light", width: int = WIDTH
) -> Iterator[Page]:
    expect.set_options(timeout=60_000)
    page = browser.new_context(
        viewport={"width": width, "height": 740}, color_scheme=scheme
    ).new_page()
    page.goto(server.address)
    expect(page.locator("#hops tbody tr")).to_have_count(3)
    expect(page.locator("#writes tbody tr").first).to_be_visible()
    page.locator("[data-refresh=conflicts]").click()
    expect(page.locator("#conflicts li")).to_have_count(1)
    yield page
    page.context.close()


def expect_to_fit(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH
    assert page.evaluate(_TOO_WIDE) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_ring_with_long_names_fits(browser: Browser, server: PageServer, scheme: Scheme) -> None:
    with opened(browser, server, scheme) as page:
        expect(page.locator("#log li").first).to_be_visible()
        expect_to_fit(page)


def test_a_conflict_of_long_values_fits_with_its_sides_named(
    browser: Browser, server: PageServer
) -> None:
    with opened(browser, server) as page:
        page.locator("#conflicts li").get_by_role("button", name=re.compile("Compare")).click()
        dialog = page.get_by_role("dialog")
        row = dialog.get_by_role("row").filter(has_text="colour")
        expect(row.get_by_role("cell")).to_have_count(2)
        for number, side in enumerate(("Won at", "Lost at")):
            shown = "(cell) => getComputedStyle(cell, '::before').content"
            assert side in row.get_by_role("cell").nth(number).evaluate(shown)
        expect(dialog.get_by_role("columnheader").first).to_be_attached()
        expect_to_fit(page)


def test_what_a_check_prints_fits(browser: Browser, server: PageServer, ring: LocalRing) -> None:
    ring.wait_until_quiet(PATIENCE)
    with opened(browser, server) as page:
        page.get_by_role("button", name="Run a check").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.locator("pre.output")).to_contain_text("in sync")
        expect_to_fit(page)


def test_what_would_be_resolved_is_printed_for_the_width_of_the_dialog(
    browser: Browser, server: PageServer
) -> None:
    with opened(browser, server) as page:
        page.locator("#conflicts li").get_by_role("button", name=re.compile("Keep")).click()
        dialog = page.get_by_role("dialog")
        expect(dialog.locator("pre.output")).to_contain_text("Would")
        expect_to_fit(page)
        printed = dialog.locator("pre.output").inner_text().splitlines()
        prose = [line for line in printed if " " in line.strip()]  # a value has no place to break
        assert max(map(len, prose)) < 60


def test_an_outage_a_fault_and_a_quarantined_record_fit(
    browser: Browser, server: PageServer, ring: LocalRing
) -> None:
    with opened(browser, server) as page:
        faults = page.locator("#faults-card")
        faults.locator("[name=fault]").select_option("poison")
        faults.locator("[name=member]").select_option("us-east-1")
        faults.get_by_role("button", name="Break it").click()
        entry = page.locator("#quarantine li", has_text="poison")
        expect(entry).to_be_visible()
        entry.get_by_role("button", name=re.compile("Show")).click()
        expect(page.get_by_role("dialog")).to_contain_text('"holds"')
        expect_to_fit(page)
        page.get_by_role("dialog").get_by_role("button", name="Close").click()
        faults.locator("[name=fault]").select_option("outage")
        faults.locator("[name=member]").select_option(f"ap-northeast-3-{LONG_TABLE}")
        faults.get_by_role("button", name="Break it").click()
        expect(page.locator("#faults")).to_contain_text("does not answer")
        expect(page.locator("#troubles li").first).to_be_visible()
        expect_to_fit(page)
        faults.get_by_role("button", name="End all faults").click()
        expect(page.locator("#faults li")).to_have_count(0)
    assert get(ring, "us-east-1", KEY) is not None
