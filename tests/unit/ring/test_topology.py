"""Who the members are, what they are called, and which hops lead around the ring."""

from __future__ import annotations

from itertools import chain, combinations

import pytest

from ring.settings.members import Member, NoSuchMemberError, find_member, members_of, replica_id
from ring.settings.settings import Settings
from ring.topology import Edge, all_hops, deployed_hops
from tests.support.pulumi_mocks import config

STREAM = "arn:aws:dynamodb:eu-west-1:123456789012:table/legacy/stream/2024-05-01T09:30:00.000"
REGIONS = [f"ap-southeast-{at}" for at in range(1, 7)]
REGION_ENTRIES: list[dict[str, object]] = [{"region": region} for region in REGIONS]
SIZES = range(2, len(REGIONS) + 1)


def ring(*members: dict[str, object], **sections: object) -> Settings:
    return Settings.parse(config(members=members, **sections))


def ring_of_size(size: int, **sections: object) -> Settings:
    return ring(*REGION_ENTRIES[:size], **sections)


def names(*members: dict[str, object]) -> list[str]:
    return [member.name for member in members_of(ring(*members))]


@pytest.mark.parametrize("size", SIZES)
def test_each_member_hops_to_the_next_and_the_last_one_to_the_first(size: int) -> None:
    pairs = [(hop.source.region, hop.target.region) for hop in all_hops(ring_of_size(size))]

    assert pairs == [(REGIONS[at], REGIONS[(at + 1) % size]) for at in range(size)]


@pytest.mark.parametrize("size", SIZES)
def test_following_the_hops_passes_every_member_and_comes_back(size: int) -> None:
    onward = {hop.source: hop.target for hop in all_hops(ring_of_size(size))}
    start = here = next(iter(onward))
    passed = [here := onward[here] for _ in range(size)]

    assert set(passed) == set(onward)
    assert passed[-1] == start


def test_a_ring_of_two_is_two_hops() -> None:
    there, back = all_hops(ring_of_size(2))

    assert (there.source, there.target) == (back.target, back.source)


@pytest.mark.parametrize("size", SIZES)
def test_a_stack_deploys_all_hops_unless_configured_otherwise(size: int) -> None:
    settings = ring_of_size(size)

    assert deployed_hops(settings) == all_hops(settings)


@pytest.mark.parametrize("size", SIZES)
def test_a_stack_deploys_exactly_the_hops_that_start_at_the_members_given(size: int) -> None:
    members = REGIONS[:size]
    for chosen in chain.from_iterable(combinations(members, n) for n in range(1, size + 1)):
        settings = ring_of_size(size, hops=list(reversed(chosen)))

        assert deployed_hops(settings) == tuple(
            hop for hop in all_hops(settings) if hop.source.name in chosen
        )


def test_stacks_of_one_hop_each_make_the_whole_ring_together() -> None:
    apart = [deployed_hops(ring_of_size(4, hops=[region])) for region in REGIONS[:4]]

    assert tuple(chain.from_iterable(apart)) == all_hops(ring_of_size(4))


def test_a_hop_given_twice_is_deployed_once() -> None:
    assert len(deployed_hops(ring_of_size(3, hops=[REGIONS[0], f"{REGIONS[0]}/orders"]))) == 1


def test_a_hop_is_named_after_both_of_its_ends() -> None:
    there, back = all_hops(ring({"region": "us-east-1"}, {"region": "us-east-2"}))

    assert (there.slug, back.slug) == ("us-east-1-to-us-east-2", "us-east-2-to-us-east-1")


def test_the_name_of_a_hop_stays_short_and_distinguishes_hops() -> None:
    here = Member("ap-southeast-2-orders-apac", "ap-southeast-2", "orders-apac")
    there = [Member(f"eu-west-1-{name}", "eu-west-1", name) for name in ("a" * 240, "a" * 241)]
    slugs = {Edge(*pair).slug for one in there for pair in ((here, one), (one, here))}

    assert len(slugs) == 4
    assert all(len(slug) <= 33 for slug in slugs)


# --- members that are out, and come back ----------------------------------------------------


def hop_names(*states: str) -> list[str]:
    """Which hops there are, by the members' numbers, in a ring whose members have these states."""
    entries: list[dict[str, object]] = [
        {"region": region, "state": state} for region, state in zip(REGIONS, states, strict=False)
    ]
    return [f"{hop.source.region[-1]}{hop.target.region[-1]}" for hop in all_hops(ring(*entries))]


def test_the_ring_is_closed_around_a_bypassed_member_whose_own_hop_stays() -> None:
    assert hop_names("in", "bypassed", "in") == ["13", "23", "31"]
    assert hop_names("bypassed", "in", "in") == ["12", "23", "32"]
    assert hop_names("in", "bypassed", "bypassed", "in") == ["14", "24", "34", "41"]


def test_a_member_that_rejoins_is_hopped_to_and_around() -> None:
    assert hop_names("in", "rejoining", "in") == ["12", "13", "23", "31"]
    assert hop_names("in", "in", "rejoining") == ["12", "23", "21", "31"]
    assert hop_names("in", "bypassed", "rejoining", "in") == ["13", "14", "23", "24", "34", "41"]


def test_members_keep_their_names_and_ids_whatever_their_states() -> None:
    def known(state: str) -> list[tuple[str, str]]:
        settings = ring(*REGION_ENTRIES[:2], {"region": REGIONS[2], "state": state})
        return [(member.name, member.id) for member in members_of(settings)]

    assert known("in") == known("bypassed") == known("rejoining")


def test_a_member_is_named_after_its_region_and_its_table_if_that_is_its_own() -> None:
    assert names(
        {"region": "us-east-1"},
        {"region": "us-east-1", "table": "orders-b"},
        {"region": "eu-west-1", "table": "orders"},
        {"region": "eu-west-1", "stream_arn": STREAM},
        {"region": "eu-west-2", "name": "london"},
    ) == ["us-east-1", "us-east-1-orders-b", "eu-west-1", "eu-west-1-legacy", "london"]


def test_members_keep_their_names_and_ids_when_others_join() -> None:
    before = members_of(ring_of_size(2))
    after = members_of(ring({"region": "us-east-1", "table": "orders-b"}, *REGION_ENTRIES[:3]))

    assert set(before) < set(after)


def test_an_adopted_member_has_the_table_and_the_account_of_its_stream() -> None:
    _, adopted = members_of(
        ring({"region": "us-east-1"}, {"region": "eu-west-1", "stream_arn": STREAM})
    )

    assert adopted.table == "legacy"
    assert adopted.account_id == "123456789012"
    assert adopted.account is None


def test_the_replica_id_is_8_hex_digits_of_the_place() -> None:
    # Worked out once, written down for ever: these stand in the versions of items.
    assert replica_id("us-east-1", "orders") == "0996013b"
    assert replica_id("eu-west-1", "orders") == "b2effd43"


def test_the_replica_id_distinguishes_tables_regions_and_accounts() -> None:
    places = [
        ("us-east-1", "orders", None),
        ("us-east-1", "orders-b", None),
        ("us-east-2", "orders", None),
        ("us-east-1", "orders", "123456789012"),
        ("us-east-1", "orders", "210987654321"),
    ]

    assert len({replica_id(*place) for place in places}) == len(places)


def test_a_slug_is_the_name_itself_where_functions_and_roles_may_be_called_so() -> None:
    assert (
        Member("eu-west-1-orders_b", "eu-west-1", "orders_b").resource_name == "eu-west-1-orders_b"
    )


@pytest.mark.parametrize("table", ["orders.b", "o" * 200])
def test_any_other_slug_is_short_and_ends_with_the_replica_id(table: str) -> None:
    member = Member(f"eu-west-1-{table}", "eu-west-1", table)

    assert member.resource_name.startswith("eu-west-1-o")
    assert member.resource_name.endswith(f"-{member.id}")
    assert len(member.resource_name) <= 40
    assert "." not in member.resource_name


def test_members_alike_but_for_a_dot_have_different_slugs() -> None:
    slugs = {
        Member(f"eu-west-1-{name}", "eu-west-1", name).resource_name
        for name in ("a.b", "a-b", "a_b")
    }

    assert len(slugs) == 3


SOME = members_of(
    ring(
        {"region": "us-east-1"},
        {"region": "eu-west-1", "table": "orders-eu"},
        {"region": "ap-south-1", "name": "mumbai"},
        {"region": "ap-south-1", "table": "orders-b"},
    )
)


@pytest.mark.parametrize(
    ("word", "at"),
    [
        ("us-east-1", 0),
        ("us-east-1/orders", 0),
        ("eu-west-1", 1),
        ("eu-west-1-orders-eu", 1),
        ("eu-west-1/orders-eu", 1),
        ("mumbai", 2),
        ("ap-south-1/orders", 2),
        ("ap-south-1-orders-b", 3),
    ],
)
def test_a_member_is_found_by_name_by_place_or_by_a_region_of_its_own(word: str, at: int) -> None:
    assert find_member(SOME, word) == SOME[at]


def test_a_name_goes_before_a_region() -> None:
    first, second = Member("eu-west-1", "us-east-1", "a"), Member("b", "eu-west-1", "b")

    assert find_member([first, second], "eu-west-1") == first


def test_a_region_of_two_members_is_refused_with_their_names() -> None:
    with pytest.raises(NoSuchMemberError, match=r"2 members.*`mumbai` or `ap-south-1-orders-b`"):
        find_member(SOME, "ap-south-1")


def test_a_word_that_is_no_member_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(NoSuchMemberError, match="Did you mean `mumbai`"):
        find_member(SOME, "mumbay")
