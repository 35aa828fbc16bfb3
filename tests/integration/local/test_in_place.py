"""A running ring gets other settings: it goes on with its items, and only what differs changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from local.cloud.cloud import Cloud, CloudError
from local.faults.fault import FaultRequest
from local.in_place import NotChangedError
from local.lambda_emulator.function import LocalFunction
from local.ring import LocalRing
from ring.settings.settings import SettingsError
from tests.support.local_rings import PATIENCE, REGIONS, get, hop_from, item, put, restored, ring_of

FIRST, LOST, LAST = REGIONS[:3]


@pytest.fixture(scope="module")
def shared() -> Iterator[LocalRing]:
    with ring_of(3, function={"timeout": 4}) as three:
        yield three


@pytest.fixture
def ring(shared: LocalRing) -> Iterator[LocalRing]:
    """The ring of all tests here, which has its settings back after each, and no faults."""
    with restored(shared):
        yield shared


def settings_with(ring: LocalRing, word: str, **member: Any) -> dict[str, Any]:
    """Return the ring's settings with others of one member."""
    settings = ring.stack.settings
    members = [
        {**entry, **member} if entry["region"] == word else entry for entry in settings["members"]
    ]
    return {**settings, "members": members}


def counts(document: Mapping[str, Any]) -> dict[str, int]:
    return {name: count for name, count in document["changes"].items() if name != "same"}


def all_have(ring: LocalRing, *keys: str) -> None:
    ring.wait_until_quiet(PATIENCE)
    assert ring.differences() == []
    for member in ring.members:
        assert [key for key in keys if get(ring, member, key) is None] == []


@pytest.mark.long
def test_the_same_settings_change_nothing(ring: LocalRing) -> None:
    put(ring, FIRST, item("before"))
    functions = [hop.function for hop in ring.hops.values()]
    changed = ring.change(ring.stack.settings)
    assert counts(changed.document()) == {}
    assert [hop.function for hop in ring.hops.values()] == functions
    all_have(ring, "before")


@pytest.mark.long
def test_a_hop_is_paused_and_resumed_in_place(ring: LocalRing) -> None:
    planned = ring.plan(settings_with(ring, FIRST, paused=True))
    changed = ring.change(settings_with(ring, FIRST, paused=True))
    assert counts(planned.document()) == counts(changed.document()) == {"update": 1}
    (step,) = changed.document()["steps"]
    assert (step["type"], step["keys"]) == (
        "aws:lambda/eventSourceMapping:EventSourceMapping",
        ["enabled"],
    )
    assert hop_from(ring, FIRST).mapping.stopped_by == "disabled"
    put(ring, FIRST, item("while paused"))
    put(ring, LOST, item("elsewhere"))
    ring.wait_until_quiet(PATIENCE)
    assert get(ring, LOST, "while paused") is None
    ring.change(settings_with(ring, FIRST, paused=False))
    all_have(ring, "while paused", "elsewhere")


def test_a_plan_changes_nothing(ring: LocalRing) -> None:
    planned = ring.plan(settings_with(ring, LOST, state="bypassed"))
    assert counts(planned.document())["create"] == 5
    assert list(ring.hops) == [f"{FIRST} -> {LOST}", f"{LOST} -> {LAST}", f"{LAST} -> {FIRST}"]
    assert ring.settings.members[1].state == "in"
    functions = ring.member(FIRST).clients.functions(FIRST).list_functions()["Functions"]
    assert len(functions) == 1


@pytest.mark.long
def test_a_lost_member_is_bypassed_and_rejoins_with_what_it_had_not_sent(ring: LocalRing) -> None:
    put(ring, FIRST, item("before"))
    ring.wait_until_quiet(PATIENCE)
    functions = ring.member(LOST).clients.functions(LOST)
    mapping = functions.list_event_source_mappings()["EventSourceMappings"][0]
    faults = ring.active_faults
    delay = faults.start(FaultRequest("delay", LOST, 600.0, 600.0)).id
    put(ring, LOST, item("unsent"))
    faults.start(FaultRequest("outage", LOST, seconds=600.0))
    faults.clear(delay)
    put(ring, FIRST, item("missed"))

    ring.change(settings_with(ring, LOST, state="bypassed"))
    assert list(ring.hops) == [f"{FIRST} -> {LAST}", f"{LOST} -> {LAST}", f"{LAST} -> {FIRST}"]
    put(ring, LAST, item("meanwhile"))
    for hop in (hop_from(ring, FIRST), hop_from(ring, LAST)):
        hop.mapping.poll_now()
    wait_until_has(ring, LAST, "missed")
    wait_until_has(ring, FIRST, "meanwhile")
    assert get(ring, LAST, "unsent") is None

    faults.clear()
    assert get(ring, LOST, "unsent") == item("unsent")
    ring.change(settings_with(ring, LOST, state="rejoining"))
    assert len(ring.hops) == 4
    ring.wait_until_quiet(PATIENCE)
    ring.change(settings_with(ring, LOST, state="in"))
    all_have(ring, "before", "unsent", "missed", "meanwhile")
    after = functions.list_event_source_mappings()["EventSourceMappings"]
    assert [found["UUID"] for found in after] == [mapping["UUID"]]
    put(ring, LOST, item("as before"))
    all_have(ring, "as before")
    left = ring.member(FIRST).clients.functions(FIRST).list_functions()["Functions"]
    assert len(left) == 1


def test_hops_can_be_looked_at_while_they_are_replaced(
    ring: LocalRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = []
    start = LocalFunction.start

    def look_and_start(function: LocalFunction) -> None:
        looked.append(iter(ring.hops.items()))
        start(function)

    monkeypatch.setattr(LocalFunction, "start", look_and_start)
    ring.change(settings_with(ring, LOST, state="bypassed"))
    assert list(looked[0]) == []


def wait_until_has(ring: LocalRing, word: str, key: str) -> None:
    import time  # noqa: PLC0415

    end = time.monotonic() + PATIENCE
    while get(ring, word, key) is None:
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.long
def test_nothing_in_the_region_of_a_bypassed_member_is_asked_or_changed(ring: LocalRing) -> None:
    ring.active_faults.start(FaultRequest("outage", LOST, seconds=600.0))
    ring.change(settings_with(ring, LOST, state="bypassed"))
    ring.change(
        {**settings_with(ring, LOST, state="bypassed"), "mapping": {"batch_size": 7}},
    )
    ring.active_faults.clear()
    sizes = {
        region: ring.members[region]
        .clients.functions(region)
        .list_event_source_mappings()["EventSourceMappings"][0]["BatchSize"]
        for region in (FIRST, LOST, LAST)
    }
    assert (sizes[FIRST], sizes[LAST]) == (7, 7)
    assert sizes[LOST] != 7


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"table": {"name": "orders", "partition_key": {"name": "other", "type": "S"}}}, "`table`"),
        ({"tombstones": {"enabled": False}}, "`tombstones`"),
        ({"members": [{"region": FIRST}, {"region": LOST}]}, "not which they are"),
        ({"distributed": {"enabled": True}}, "`distributed.enabled`"),
    ],
)
def test_what_cannot_be_done_in_place_is_refused_with_the_reason(
    ring: LocalRing, other: Mapping[str, Any], reason: str
) -> None:
    put(ring, FIRST, item("kept"))
    with pytest.raises(NotChangedError, match=reason):
        ring.change({**ring.stack.settings, **other})
    all_have(ring, "kept")


def test_invalid_settings_are_refused_and_change_nothing(ring: LocalRing) -> None:
    with pytest.raises(SettingsError, match="state"):
        ring.change(settings_with(ring, LOST, state="gone"))
    put(ring, FIRST, item("kept"))
    all_have(ring, "kept")


def test_settings_that_the_ring_has_count_even_if_an_unused_resource_remains(
    ring: LocalRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise CloudError("AccessDenied")

    before = ring.revision
    with monkeypatch.context() as patch:
        patch.setattr(Cloud, "delete", refuse)
        with pytest.raises(NotChangedError, match="runs with its new settings, but an unused"):
            ring.change(settings_with(ring, LOST, state="bypassed"))
    assert ring.settings.members[1].state == "bypassed"
    assert ring.revision == before + 1
