"""A ring of three on this machine, end to end: the stack's program, its handler, its mappings."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from local.ring import LocalRing
from ring.settings.members import NoSuchMemberError
from tests.support.local_rings import REGIONS, costs, get, item, put, ring_of


@pytest.fixture(scope="module")
def three(dynamodb: str | None) -> Iterator[LocalRing]:
    with ring_of(3, dynamodb) as ring:
        yield ring


def test_an_item_goes_around_and_stops_where_it_began(three: LocalRing) -> None:
    written = item(
        "first",
        binary={"B": b"\x00\xff"},
        set={"BS": [b"\x00"]},
        numbers={"NS": ["1"]},
        empty={"S": ""},
        deep={"L": [{"M": {}}, {"L": []}, {"M": {"a": {"M": {}}, "b": {"NULL": True}}}]},
    )
    with costs(three, writes=3):  # one of the application, two of the ring
        put(three, "us-east-1", written)
    assert [get(three, region, "first") for region in REGIONS[:3]] == [written] * 3
    assert three.differences() == []
    assert three.hops_from("ap-southeast-2")[0].tally.read()["laps"] == 1


def test_an_edit_in_a_replica_reaches_the_origin(three: LocalRing) -> None:
    put(three, "us-east-1", item("edited", n={"N": "1"}))
    three.wait_until_quiet()
    with costs(three, writes=3):
        three.client("eu-west-1").update_item(
            TableName="orders",
            Key=item("edited"),
            UpdateExpression="SET n = :n",
            ExpressionAttributeValues={":n": {"N": "2"}},
        )
    assert get(three, "us-east-1", "edited") == item("edited", n={"N": "2"})
    assert three.differences() == []


def test_a_delete_goes_around_and_leaves_nothing(three: LocalRing) -> None:
    put(three, "eu-west-1", item("gone"))
    three.wait_until_quiet()
    three.client("ap-southeast-2").delete_item(TableName="orders", Key=item("gone"))
    three.wait_until_quiet()
    assert [get(three, region, "gone") for region in REGIONS[:3]] == [None] * 3
    assert three.differences() == []


def test_what_is_inserted_again_after_a_delete_stays(three: LocalRing) -> None:
    put(three, "us-east-1", item("again", n={"N": "1"}))
    three.wait_until_quiet()
    three.client("eu-west-1").delete_item(TableName="orders", Key=item("again"))
    three.wait_until_quiet()
    put(three, "ap-southeast-2", item("again", n={"N": "2"}))
    three.wait_until_quiet()
    assert [get(three, region, "again") for region in REGIONS[:3]] == [
        item("again", n={"N": "2"})
    ] * 3
    assert three.differences() == []


def test_a_delete_and_an_insert_on_its_heels_end_with_the_insert(three: LocalRing) -> None:
    put(three, "us-east-1", item("heels"))
    three.wait_until_quiet()
    with three.paused():
        three.client("us-east-1").delete_item(TableName="orders", Key=item("heels"))
        put(three, "us-east-1", item("heels", n={"N": "2"}))
    three.wait_until_quiet()
    assert [get(three, region, "heels") for region in REGIONS[:3]] == [
        item("heels", n={"N": "2"})
    ] * 3
    assert three.differences() == []


def test_a_number_stops_where_it_began_however_it_is_spelled(three: LocalRing) -> None:
    with costs(three, writes=3):
        put(three, "us-east-1", item("spelled", n={"N": "0010.500"}, large={"N": "1E+20"}))
    assert three.differences() == []


def test_two_writes_of_one_key_in_the_same_moment_agree_on_one(three: LocalRing) -> None:
    with three.paused():
        put(three, "us-east-1", item("contended", by={"S": "us"}))
        put(three, "ap-southeast-2", item("contended", by={"S": "ap"}))
        time.sleep(0.1)
        assert get(three, "eu-west-1", "contended") is None
    three.wait_until_quiet()
    assert three.differences() == []
    assert get(three, "eu-west-1", "contended") in (
        item("contended", by={"S": "us"}),
        item("contended", by={"S": "ap"}),
    )


def test_one_hop_can_rest_alone_and_then_catches_up(three: LocalRing) -> None:
    with three.paused("eu-west-1"):
        put(three, "us-east-1", item("held"))
        three.wait_until_quiet()
        assert get(three, "eu-west-1", "held") == item("held")
        assert get(three, "ap-southeast-2", "held") is None
        (missing,) = three.differences()
        assert (missing.key, missing.reason) == (item("held"), "missing on ap-southeast-2")
    three.wait_until_quiet()
    assert three.differences() == []


def test_waiting_gives_up_with_what_was_still_going_on(
    three: LocalRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = three.hops_from("us-east-1")[0].function
    ask, is_held, may_go_on = function._request, threading.Event(), threading.Event()

    def held(*question: Any) -> Any:
        is_held.set()
        may_go_on.wait()
        return ask(*question)

    # Not `invoke`: the mapping has held on to that since it was made.
    monkeypatch.setattr(function, "_request", held)
    try:
        put(three, "us-east-1", item("held up"))
        assert is_held.wait(30)
        with pytest.raises(TimeoutError, match=r"Not quiet after 0.1 s: us-east-1 -> eu-west-1: "):
            three.wait_until_quiet(0.1)
    finally:
        may_go_on.set()
    three.wait_until_quiet()
    assert three.differences() == []


def test_members_are_found_by_name_region_or_place(three: LocalRing) -> None:
    assert list(three.members) == list(REGIONS[:3])
    assert three.member("eu-west-1/orders") is three.members["eu-west-1"]
    with pytest.raises(NoSuchMemberError):
        three.member("mars-1")


def test_the_functions_environment_leads_to_this_ring_alone(three: LocalRing) -> None:
    spec = three.hops_from("us-east-1")[0].function.spec
    assert spec.environment["RING_SOURCE_REGION"] == "us-east-1"
    assert spec.environment["RING_TARGET_REGION"] == "eu-west-1"
    assert three.endpoint.startswith("http://127.0.0.1:")
