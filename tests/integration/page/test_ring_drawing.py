"""The drawing of a ring alone, in a real browser, from a view that no ring is needed for."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, Route

from ring.project import PROJECT_ROOT

STATIC = PROJECT_ROOT / "page/static"
ADDRESS = "http://page.test/"
DRAW = """async ([members, hops]) => {
  const { Ring } = await import("/ring.js");
  const member = (name) => ({ name, region: name, table: "t", items: 1, trouble: [] });
  const hop = ([source, target]) => ({ source, target, state: "running", trouble: [], alarms: [],
    rate: 12.3, lag: { p50: 1.2 }, quarantined: 7 });
  const ring = new Ring(document.getElementById("ring"));
  ring.update({ local: true, members: members.map(member), hops: hops.map(hop) });
}"""
HIDDEN = """() => {
  const boxes = [...document.querySelectorAll(".node rect")].map((r) => r.getBoundingClientRect());
  return [...document.querySelectorAll("path.hop")].map((path) => {
    const shift = path.ownerSVGElement.getScreenCTM();
    const length = path.getTotalLength();
    const steps = Array.from({ length: 101 }, (_, i) => path.getPointAtLength((length * i) / 100));
    const points = steps.map((point) => point.matrixTransform(shift));
    return points.filter(({ x, y }) =>
      boxes.some((b) => x > b.left && x < b.right && y > b.top && y < b.bottom)).length;
  });
}"""

CROSSED = """() => {
  const path = document.querySelector("path.hop");
  const shift = path.ownerSVGElement.getScreenCTM();
  const length = path.getTotalLength();
  const steps = Array.from({ length: 401 }, (_, i) => path.getPointAtLength((length * i) / 400));
  const points = steps.map((point) => point.matrixTransform(shift));
  const texts = [...document.querySelector(".facts").querySelectorAll("text")];
  const boxes = texts.filter((t) => t.textContent).map((text) => text.getBoundingClientRect());
  return [boxes.length, points.filter(({ x, y }) =>
    boxes.some((b) => x > b.left && x < b.right && y > b.top && y < b.bottom)).length];
}"""


def serve(route: Route) -> None:
    name = route.request.url.removeprefix(ADDRESS)
    if name:
        route.fulfill(path=STATIC / name, content_type="text/javascript")
    else:
        route.fulfill(body='<div id="ring"></div>', content_type="text/html")


def drawn(browser: Browser, width: int, members: list[str], hops: list[tuple[str, str]]) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 740})
    page.route("**/*", serve)
    page.goto(ADDRESS)
    page.evaluate(DRAW, [members, hops])
    return page


@pytest.mark.parametrize("width", [360, 800, 1280])
@pytest.mark.parametrize("count", [3, 4, 5])
def test_a_hop_around_a_bypassed_member_does_not_pass_behind_that_members_box(
    browser: Browser, width: int, count: int
) -> None:
    members = [f"member-{number}" for number in range(count)]
    in_ring = [members[0], *members[2:]]
    hops = [*zip(in_ring, [*in_ring[1:], in_ring[0]], strict=True), (members[1], members[2])]
    page = drawn(browser, width, members, hops)
    assert page.evaluate(HIDDEN) == [0] * count
    page.close()


@pytest.mark.parametrize("width", [800, 1280])
@pytest.mark.parametrize(("count", "out"), [(n, out) for n in (3, 4, 5) for out in range(n)])
def test_the_figures_of_a_hop_around_a_bypassed_member_are_not_on_its_arc(
    browser: Browser, width: int, count: int, out: int
) -> None:
    members = [f"member-{number}" for number in range(count)]
    around = (members[out - 1], members[(out + 1) % count])
    page = drawn(browser, width, members, [around])
    assert page.evaluate(CROSSED) == [2, 0]
    page.close()


def test_a_bypassed_member_says_so_and_no_other_does(browser: Browser) -> None:
    page = drawn(browser, 800, ["a", "b", "c"], [("a", "c"), ("b", "c"), ("c", "a")])
    says_so = ["bypassed" in text for text in page.locator(".node").all_text_contents()]
    assert says_so == [False, True, False]
    label = page.locator("svg").get_attribute("aria-label")
    assert label == "Ring of 3 members: a with 1 item, b (bypassed) with 1 item, c with 1 item"
    page.close()
