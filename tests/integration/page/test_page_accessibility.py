"""The page by keyboard, by a screen reader's tree, by its colours, and without motion."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from local.ring import LocalRing
from page.server import PageServer
from tests.support.local_rings import item, make_conflict, put, ring_of

pytestmark = pytest.mark.long

CONTROLS = {"button", "combobox", "textbox", "spinbutton", "DisclosureTriangle", "link"}
ENOUGH = 4.5
"""Contrast of text, at least: https://www.w3.org/TR/WCAG22/#contrast-minimum"""
_CONTRASTS = """() => {
  const rgb = (text) => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const back = (element) => {
    for (let at = element; at; at = at.parentElement) {
      if (at.tagName === "rect") continue;
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour[3] === 1) return colour;
    }
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].filter((node) => node.nodeType === 3);
    const text = own.map((node) => node.data).join("").trim();
    const style = getComputedStyle(element);
    if (!text || !element.getClientRects().length || element.disabled) continue;
    const front = rgb(element.closest("svg") ? style.fill : style.color);
    const [a, b] = [light(front), light(back(element))].sort((x, y) => y - x);
    found.push([text.slice(0, 40), (a + 0.05) / (b + 0.05)]);
  }
  return found;
}"""
Scheme = Literal["light", "dark"]


@pytest.fixture(scope="module")
def ring(browser: Browser) -> Iterator[LocalRing]:
    """A ring that has had a conflict."""
    with ring_of(2, function={"log_items": True}) as two:
        make_conflict(two, "both")
        yield two


def opened(browser: Browser, server: PageServer, **options: Any) -> Page:
    expect.set_options(timeout=60_000)
    page = browser.new_context(**options).new_page()
    page.goto(server.address)
    expect(page.locator("#hops tbody tr")).to_have_count(2)
    page.locator("[data-refresh=conflicts]").click()
    expect(page.locator("#conflicts li")).to_have_count(1)
    return page


@pytest.fixture
def page(browser: Browser, server: PageServer) -> Iterator[Page]:
    one = opened(browser, server)
    yield one
    one.context.close()


def tree(page: Page) -> list[tuple[str, str]]:
    """Return role and name of all that a screen reader sees."""
    nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    return [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node["ignored"]
    ]


def test_every_control_has_a_name_and_no_two_buttons_have_the_same(page: Page) -> None:
    found = [(role, name) for role, name in tree(page) if role in CONTROLS]
    assert len(found) > 10
    assert [role for role, name in found if not name.strip()] == []
    buttons = [name for role, name in found if role == "button"]
    assert sorted(buttons) == sorted(set(buttons))


@pytest.mark.parametrize("width", [1280, 768, 360])
def test_hops_are_rows_of_a_table_at_every_width(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    hops = page.get_by_role("table").filter(has_text="us-east-1 → eu-west-1")
    expect(hops.get_by_role("cell", name="us-east-1 → eu-west-1")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    clipped = "(s) => [...document.querySelectorAll(s)].some((e) => e.scrollWidth > e.clientWidth)"
    assert not page.evaluate(clipped, ".scroll")


def test_a_dialog_keeps_the_focus_and_gives_it_back(page: Page) -> None:
    compare = page.locator("#conflicts li").get_by_role("button", name=re.compile("Compare"))
    compare.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="id=both")
    expect(dialog.locator(".compare")).to_be_visible()
    inside = "() => !document.activeElement || document.activeElement === document.body \
        || !!document.activeElement.closest('dialog')"
    for _ in range(6):
        page.keyboard.press("Tab")
        assert page.evaluate(inside)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(compare).to_be_focused()


def test_the_focus_returns_to_the_list_when_its_entry_is_gone(page: Page, ring: LocalRing) -> None:
    make_conflict(ring, "gone")
    entry = page.locator("#conflicts li", has_text="id=gone")
    entry.get_by_role("button", name=re.compile("^Keep")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Run").click()
    expect(dialog.get_by_role("button", name="Run")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(entry).to_have_count(0)
    expect(page.locator("[data-refresh=conflicts]")).to_be_focused()


def test_what_happens_is_spoken_at_most_every_five_seconds(page: Page, ring: LocalRing) -> None:
    assert ("log", "What happened") in tree(page)
    expect(page.locator("#log")).to_have_attribute("aria-live", "off")
    page.evaluate(
        """() => { window.spoken = [];
        new MutationObserver(() => window.spoken.push(
            [performance.now(), document.querySelector("#spoken").textContent]))
        .observe(document.querySelector("#spoken"), {childList: true}); }"""
    )
    for number in range(60):
        put(ring, "us-east-1", item(f"busy-{number}"))
    page.wait_for_function("() => window.spoken.length >= 1")
    put(ring, "us-east-1", item("one-more"))
    page.wait_for_function("() => window.spoken.length >= 2")
    spoken = page.evaluate("window.spoken")
    assert min(b[0] - a[0] for a, b in pairwise(spoken)) >= 4900
    assert any("more in the log" in text for _, text in spoken)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_enough_contrast(
    browser: Browser, server: PageServer, ring: LocalRing, scheme: Scheme
) -> None:
    page = opened(browser, server, color_scheme=scheme)
    with ring.faults.lose("eu-west-1"):
        expect(page.locator("#health")).to_have_text("needs attention")
        page.locator("#conflicts li").get_by_role("button", name=re.compile("Compare")).click()
        expect(page.locator("#dialog .compare, #dialog .hot").first).to_be_visible()
        contrasts = page.evaluate(_CONTRASTS)
    page.context.close()
    assert len(contrasts) > 50
    assert [(text, ratio) for text, ratio in contrasts if ratio < ENOUGH] == []


def test_nothing_moves_where_motion_is_reduced(
    browser: Browser, server: PageServer, ring: LocalRing
) -> None:
    page = opened(browser, server, reduced_motion="reduce")
    page.evaluate(
        """() => { window.dots = 0;
        new MutationObserver((changes) => changes.forEach((change) => change.addedNodes.forEach(
            (node) => { if (node.tagName === "circle") window.dots += 1; })))
        .observe(document.querySelector("#ring"), {childList: true, subtree: true}); }"""
    )
    put(ring, "us-east-1", item("still"))
    expect(page.locator("#writes tbody tr", has_text="id=still").locator(".there")).to_have_count(2)
    assert page.evaluate("window.dots") == 0
    assert page.evaluate("document.getAnimations().length") == 0
    page.context.close()
