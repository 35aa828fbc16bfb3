"""The page in a real browser: a write is seen travelling, the ring is broken and repaired."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from local.ring import LocalRing
from page.server import PageServer
from tests.support.browsers import serve
from tests.support.local_rings import PATIENCE, get, hop_from, item, make_conflict, put, ring_of

MILLISECONDS = 60_000


@pytest.fixture(scope="module")
def ring(browser: Browser) -> Iterator[LocalRing]:
    """A ring of three; only where there is a browser."""
    with ring_of(3, function={"log_items": True}) as three:
        yield three


@pytest.fixture
def page(browser: Browser, server: PageServer) -> Iterator[Page]:
    """The opened page; any error in it, and any request to elsewhere, fails the test."""
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    opened.set_default_timeout(MILLISECONDS)
    expect.set_options(timeout=MILLISECONDS)
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("request", lambda request: errors.extend(foreign(request.url, server)))
    opened.goto(server.address)
    expect(opened.locator("#ring svg")).to_be_visible()
    yield opened
    opened.close()
    assert errors == []


def foreign(url: str, server: PageServer) -> list[str]:
    return [] if url.startswith(server.address.partition("#")[0]) else [url]


def write(page: Page, member: str, action: str, item: str) -> None:
    form = page.locator("#item-form")
    form.locator("[name=member]").select_option(member)
    form.locator("[name=action]").select_option(action)
    form.locator("[name=item]").fill(item)
    form.get_by_role("button").click()


def test_a_write_is_seen_travelling_to_every_member(page: Page, ring: LocalRing) -> None:
    page.evaluate(
        """() => { window.moved = new Set();
        new MutationObserver((changes) => changes.forEach((change) => change.addedNodes.forEach(
            (node) => node.textContent && window.moved.add(node.textContent))))
        .observe(document.querySelector("#ring"), {childList: true, subtree: true}); }"""
    )
    write(page, "eu-west-1", "put", '{"id": "travels"}')
    row = page.locator("#writes tbody tr", has_text="id=travels")
    expect(row).to_contain_text("insert")
    expect(row.locator(".there")).to_have_count(3)
    expect(row.locator("td").last).to_contain_text("s")
    expect(page.locator("#log")).to_contain_text("made at eu-west-1, everywhere after")
    page.wait_for_function("window.moved.has('insert id=travels')")
    expect(page.get_by_role("img", name="Ring of 3 members: us-east-1 with 1 item")).to_be_visible()
    assert get(ring, "ap-southeast-2", "travels") is not None


@pytest.mark.long
def test_a_tab_that_nobody_sees_leaves_its_connection_to_others(
    browser: Browser, server: PageServer, ring: LocalRing
) -> None:
    """A browser has six to a server: with as many tabs open, a click would wait for ever."""
    context = browser.new_context()
    for _ in range(8):
        tab = context.new_page()
        tab.goto(server.address, timeout=MILLISECONDS)
        expect(tab.locator("#ring svg")).to_be_visible(timeout=MILLISECONDS)
        hide(tab, is_hidden=True)
    ring.wait_until_quiet(PATIENCE)
    before = tab.locator("#log li").count()
    put(ring, "us-east-1", item("unseen"))
    ring.wait_until_quiet(PATIENCE)
    hide(tab, is_hidden=False)
    expect(tab.locator("#log li", has_text="id=unseen")).to_have_count(1, timeout=MILLISECONDS)
    assert tab.locator("#log li").count() == before + 1
    context.close()


def hide(page: Page, *, is_hidden: bool) -> None:
    """Have a tab be behind another, which a browser without a screen does not do itself."""
    page.evaluate(
        """(value) => {
        Object.defineProperty(document, "hidden", {value, configurable: true});
        document.dispatchEvent(new Event("visibilitychange")); }""",
        is_hidden,
    )


@pytest.mark.long
def test_what_is_wrong_with_an_item_is_said_beside_the_form(page: Page) -> None:
    write(page, "us-east-1", "put", "{id")
    expect(page.locator("#item-form output")).to_contain_text("not JSON")


@pytest.mark.long
def test_a_form_says_that_it_works_and_forgets_the_error_before(page: Page) -> None:
    output = page.locator("#item-form output")
    write(page, "us-east-1", "put", "{id")
    expect(output).to_contain_text("not JSON")
    page.route("**/api/item", lambda _route: None)  # never answered
    write(page, "us-east-1", "put", '{"id": "slow"}')
    expect(output).to_have_text("Working …")
    page.unroute_all(behavior="ignoreErrors")


@pytest.mark.long
def test_a_hop_is_paused_after_a_question_and_resumed(page: Page, ring: LocalRing) -> None:
    page.get_by_role("button", name="Pause the hop from us-east-1").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Writes at its source wait")
    assert hop_from(ring, "us-east-1").mapping.stopped_by == ""
    dialog.get_by_role("button", name="Close").click()
    assert hop_from(ring, "us-east-1").mapping.stopped_by == ""
    page.get_by_role("button", name="Pause the hop from us-east-1").click()
    dialog.get_by_role("button", name="Run").click()
    expect(dialog).to_contain_text("automate.py pause")
    expect(dialog.get_by_role("button", name="Run")).to_be_hidden()
    dialog.get_by_role("button", name="Close").click()
    hop = page.locator("#hops tbody tr", has_text="us-east-1 → eu-west-1")
    expect(hop.locator(".state")).to_have_text("paused")
    page.get_by_role("button", name="Resume the hop from us-east-1").click()
    dialog.get_by_role("button", name="Run").click()
    dialog.get_by_role("button", name="Close").click()
    expect(hop.locator(".state")).to_have_text("running")


@pytest.mark.long
def test_the_ring_is_broken_and_repaired(page: Page) -> None:
    page.get_by_label("Fault").select_option("outage")
    faults = page.locator("#faults-card")
    faults.locator("[name=member]").select_option("eu-west-1")
    faults.get_by_role("button", name="Break it").click()
    expect(page.locator("#faults")).to_contain_text("eu-west-1 does not answer")
    expect(page.locator("#ring")).to_contain_text("no answer")
    expect(page.locator("#health")).to_have_text("needs attention")
    faults.get_by_role("button", name="End all faults").click()
    expect(page.locator("#faults li")).to_have_count(0)
    expect(page.locator("#log")).to_contain_text("The fault ended: eu-west-1 does not answer.")
    expect(page.locator("#ring")).not_to_contain_text("no answer")


@pytest.mark.long
def test_a_quarantined_record_is_shown_and_discarded(page: Page) -> None:
    faults = page.locator("#faults-card")
    page.get_by_label("Fault").select_option("poison")
    faults.locator("[name=member]").select_option("us-east-1")
    faults.locator("[name=duration]").select_option("5m")
    faults.get_by_role("button", name="Break it").click()
    entry = page.locator("#quarantine li", has_text="poison")
    expect(entry).to_contain_text("us-east-1")
    entry.get_by_role("button", name="Show").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text('"holds"')
    dialog.get_by_role("button", name="Close").click()
    entry.get_by_role("button", name="Discard").click()
    expect(dialog).to_contain_text("cannot be undone")
    dialog.get_by_role("button", name="Run").click()
    expect(dialog).to_contain_text("Deleted 1.")
    dialog.get_by_role("button", name="Close").click()
    expect(page.locator("#quarantine li")).to_have_count(0)
    faults.get_by_role("button", name="End all faults").click()


@pytest.mark.long
def test_a_conflict_is_compared_and_the_loser_kept(page: Page, ring: LocalRing) -> None:
    make_conflict(ring, "both")
    entry = page.locator("#conflicts li", has_text="id=both")
    expect(entry).to_contain_text("won over")
    entry.get_by_role("button", name="Compare").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("tr.differs")).to_have_text(re.compile("color.*(red.*blue|blue.*red)"))
    dialog.get_by_role("button", name="Close").click()
    winner = get(ring, "us-east-1", "both")
    assert winner is not None
    loser = {"red": "blue", "blue": "red"}[winner["color"]["S"]]
    entry.get_by_role("button", name=re.compile("Keep (us-east-1|eu-west-1)'s")).click()
    dialog.get_by_role("button", name="Run").click()
    expect(dialog.get_by_role("button", name="Run")).to_be_hidden()
    dialog.get_by_role("button", name="Close").click()
    ring.wait_until_quiet(PATIENCE)
    assert get(ring, "ap-southeast-2", "both") == item("both", color={"S": loser})
    expect(page.locator("#conflicts li")).to_have_count(0)


@pytest.mark.long
def test_all_that_differs_in_a_conflict_is_marked_and_nothing_else(
    page: Page, ring: LocalRing
) -> None:
    one, two = {"a": {"N": "1"}, "b": {"N": "2"}}, {"b": {"N": "2"}, "a": {"N": "1"}}
    with ring.paused():
        put(ring, "us-east-1", item("odd", n={"N": "1"}, m={"M": one}, constructor={"S": "x"}))
        put(ring, "eu-west-1", item("odd", n={"S": "1"}, m={"M": two}))
    ring.wait_until_quiet(PATIENCE)
    ring.flush()
    entry = page.locator("#conflicts li", has_text="id=odd")
    entry.get_by_role("button", name="Compare").click()
    dialog = page.get_by_role("dialog")
    differs = dialog.locator("tr.differs")
    expect(differs).to_have_count(2)
    expect(differs.filter(has_text="constructor")).to_contain_text("–")
    expect(differs.filter(has_text='{"N":"1"}')).to_contain_text('{"S":"1"}')
    dialog.get_by_role("button", name="Close").click()


@pytest.mark.long
def test_two_writes_in_the_same_moment_conflict_and_another_item_is_written(
    page: Page, ring: LocalRing
) -> None:
    form = page.locator("#item-form")
    form.locator("[name=member]").select_option("us-east-1")
    form.locator("[name=item]").fill('{"id": "twice", "note": "red"}')
    form.locator("[name=also]").select_option("eu-west-1")
    expect(form.locator("[name=other]")).to_have_value('{"id":"twice","note":"red from eu-west-1"}')
    with ring.paused():
        form.get_by_role("button", name="Write").click()
        expect(form.locator("output")).to_contain_text("put id=twice at eu-west-1")
    entry = page.locator("#conflicts li", has_text="id=twice")
    entry.get_by_role("button", name="Write another").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Item").fill('{"id": "twice", "note": "purple"}')
    dialog.get_by_role("button", name="Show what would happen").click()
    expect(dialog).to_contain_text("Would write at")
    dialog.get_by_role("button", name="Run").click()
    expect(dialog).to_contain_text("Written at")
    dialog.get_by_role("button", name="Close").click()
    expect(entry).to_have_count(0)
    ring.wait_until_quiet(PATIENCE)
    assert get(ring, "ap-southeast-2", "twice") == item("twice", note={"S": "purple"})


@pytest.mark.long
def test_in_an_outage_the_lists_say_so_and_keep_what_they_had(page: Page, ring: LocalRing) -> None:
    make_conflict(ring, "outage")
    entry = page.locator("#conflicts li", has_text="id=outage")
    expect(entry).to_contain_text("won over")
    with ring.faults.lose("eu-west-1"):
        page.locator("[data-refresh=conflicts]").click()
        page.locator("[data-refresh=quarantine]").click()
        for name in ("conflicts", "quarantine"):
            expect(page.locator(f"#{name} li.hot").first).to_contain_text("eu-west-1")
        expect(entry).to_contain_text("won over")
    page.locator("[data-refresh=conflicts]").click()
    page.locator("[data-refresh=quarantine]").click()
    expect(page.locator("#conflicts li.hot")).to_have_count(0)
    expect(page.locator("#quarantine li.hot")).to_have_count(0)
    expect(entry).to_contain_text("won over")


@pytest.mark.long
def test_a_check_is_run_and_its_result_is_shown(page: Page, ring: LocalRing) -> None:
    ring.wait_until_quiet(PATIENCE)
    page.get_by_role("button", name="Run a check").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("pre.command")).to_contain_text("automate.py check")
    expect(dialog).to_contain_text("in sync")


def test_without_the_key_it_says_what_to_do(browser: Browser, server: PageServer) -> None:
    opened = browser.new_page()
    opened.goto(server.address.partition("#")[0])
    expect(opened.locator("#health")).to_contain_text("open the printed address")
    opened.close()


@pytest.mark.long
def test_it_fits_a_phone_and_works_by_keyboard(browser: Browser, server: PageServer) -> None:
    opened = browser.new_page(viewport={"width": 360, "height": 740})
    opened.goto(server.address)
    expect(opened.locator("#health")).not_to_have_text("connecting")
    expect(opened.locator("#ring svg")).to_be_visible()
    assert opened.evaluate("document.documentElement.scrollWidth") <= 360
    opened.get_by_role("button", name="Run a check").focus()
    opened.keyboard.press("Enter")
    expect(opened.get_by_role("dialog")).to_be_visible()
    opened.keyboard.press("Escape")
    expect(opened.get_by_role("dialog")).to_be_hidden()
    opened.close()


@pytest.mark.long
def test_it_survives_the_end_of_its_server(
    browser: Browser, ring: LocalRing, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    opened = browser.new_page()
    with serve(ring, tmp_path, port) as first:
        opened.goto(first.address)
        expect(opened.locator("#ring svg")).to_be_visible()
    expect(opened.locator("#health")).to_contain_text("no connection")
    with serve(ring, tmp_path, port):
        expect(opened.locator("#health")).not_to_contain_text("no connection")
        opened.close()
