"""What an item says of itself: the digest of its content, clean, dirty, or the stub of a delete."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.model.image import (
    DELETED,
    SOURCE_REGION,
    SOURCE_TABLE,
    VERSION,
    Image,
    digest,
    replicated_write,
)
from tests.support.stream_records import stamped, version

KEY = {"k": {"S": "1"}}
DIGITS = "12345678901234567890123456789012345678"  # 38, as many as DynamoDB keeps

NAMES = st.text(max_size=5)
OWN_NAMES = NAMES.filter(lambda name: not name.startswith("_repl_"))
TEXTS = st.text(max_size=5)
NUMBERS = st.integers(-(10**38) + 1, 10**38 - 1).map(str)
BYTES = st.binary(max_size=5)


def sets(members: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(members, min_size=1, max_size=3, unique=True)


LEAVES = st.one_of(
    st.builds(lambda text: {"S": text}, TEXTS),
    st.builds(lambda number: {"N": number}, NUMBERS),
    st.builds(lambda binary: {"B": binary}, BYTES),
    st.builds(lambda truth: {"BOOL": truth}, st.booleans()),
    st.just({"NULL": True}),
    st.builds(lambda members: {"SS": members}, sets(TEXTS)),
    st.builds(lambda members: {"NS": members}, sets(NUMBERS)),
    st.builds(lambda members: {"BS": members}, sets(BYTES)),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda members: {"L": members}, st.lists(inner, max_size=3)),
        st.builds(lambda members: {"M": members}, st.dictionaries(NAMES, inner, max_size=3)),
    ),
    max_leaves=8,
)
ITEMS = st.dictionaries(OWN_NAMES, VALUES, max_size=4)


def turned(value: dict[str, Any]) -> dict[str, Any]:
    """The same value, with the members of its maps and sets named in the opposite order."""
    ((kind, content),) = value.items()
    if kind == "M":
        return {kind: turned_item(content)}
    if kind == "L":
        return {kind: [turned(member) for member in content]}
    return {kind: content[::-1] if kind in {"SS", "NS", "BS"} else content}


def turned_item(item: dict[str, Any]) -> dict[str, Any]:
    return {name: turned(item[name]) for name in reversed(item)}


def nested(path: list[str], value: dict[str, Any]) -> dict[str, Any]:
    """An item in which a value stands at the end of a path of maps and lists."""
    for kind in path:
        value = {"L": [{"NULL": True}, value]} if kind == "L" else {"M": {"in": value}}
    return {**KEY, "v": value}


@given(ITEMS)
def test_the_order_of_names_and_of_sets_means_nothing(item: dict[str, Any]) -> None:
    assert digest(turned_item(item)) == digest(item)


def ordered(leaf: dict[str, Any]) -> dict[str, Any]:
    """A value that is no map and no list, with its members sorted if it is a set."""
    ((kind, content),) = leaf.items()
    return {kind: sorted(content) if kind in {"SS", "NS", "BS"} else content}


@given(st.lists(st.sampled_from("LM"), max_size=6), LEAVES, LEAVES)
def test_every_value_counts_however_deep_it_stands(
    path: list[str], one: dict[str, Any], other: dict[str, Any]
) -> None:
    same = ordered(one) == ordered(other)
    assert (digest(nested(path, one)) == digest(nested(path, other))) == same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"S": "1"}, {"N": "1"}),
        ({"S": ""}, {"NULL": True}),
        ({"S": "eA=="}, {"B": b"x"}),
        ({"B": b""}, {"B": b"\0"}),
        ({"L": []}, {"M": {}}),
        ({"L": []}, {"L": [{"L": []}]}),
        ({"L": [{"S": "a"}, {"S": "b"}]}, {"L": [{"S": "b"}, {"S": "a"}]}),
        ({"L": [{"S": "a"}]}, {"SS": ["a"]}),
        ({"BS": [b"a", b"b"]}, {"BS": [b"a", b"c"]}),
        ({"M": {"a": {"NULL": True}}}, {"M": {}}),
        ({"M": {"a": {"L": [{"NULL": True}]}}}, {"M": {"a": {"NULL": True}}}),
        ({"N": DIGITS}, {"N": DIGITS[:-1] + "9"}),
        ({"M": {"_repl_note": {"S": "a"}}}, {"M": {"_repl_note": {"S": "b"}}}),
    ],
)
def test_what_differs_has_another_digest(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert digest({**KEY, "v": one}) != digest({**KEY, "v": other})


def test_the_key_and_the_names_of_attributes_count() -> None:
    digests = [
        digest(KEY),
        digest({"k": {"S": "2"}}),
        digest({**KEY, "v": {"NULL": True}}),
        digest({**KEY, "w": {"NULL": True}}),
    ]
    assert len(set(digests)) == 4


def test_the_rings_own_attributes_do_not_count() -> None:
    ours = {
        SOURCE_REGION: {"S": "us-east-1"},
        SOURCE_TABLE: {"S": "orders"},
        VERSION: {"B": version()},
        DELETED: {"BOOL": True},
        "_repl_whatever_comes": {"M": {}},
    }
    assert digest({**KEY, **ours}) == digest(KEY)


def test_an_item_that_a_hop_wrote_is_clean() -> None:
    image = Image(stamped({**KEY, "v": {"B": b"\xff"}}))
    assert image.is_clean
    assert not image.is_stub


def test_a_clean_item_is_passed_on_as_it_stands() -> None:
    item = stamped({**KEY, "v": {"S": "a"}})
    write = replicated_write(Image(item))
    assert write is not None
    assert (write.item, write.version, write.is_delete) == (item, item[VERSION]["B"], False)


def test_an_item_that_an_application_wrote_has_no_version_and_is_dirty() -> None:
    image = Image(KEY)
    assert image.version is None
    assert not image.is_clean
    assert replicated_write(image) is None


@pytest.mark.parametrize("edit", [{"v": {"S": "b"}}, {"more": {"NULL": True}}])
def test_an_item_that_was_edited_where_a_hop_wrote_it_is_dirty_and_keeps_its_version(
    edit: dict[str, Any],
) -> None:
    item = stamped({**KEY, "v": {"S": "a"}})
    image = Image({**item, **edit})
    assert image.version == item[VERSION]["B"]
    assert not image.is_clean
    assert replicated_write(image) is None


@pytest.mark.parametrize(
    "made_up",
    [{"S": "zzz"}, {"S": str(version())}, {"B": b"zzz"}, {"N": "5"}, {"M": {}}, {"NULL": True}],
)
def test_a_made_up_version_counts_as_none(made_up: dict[str, Any]) -> None:
    image = Image({**KEY, VERSION: made_up})
    assert image.version is None
    assert not image.is_clean


def test_a_marked_item_whose_version_fits_its_key_alone_is_a_stub_and_stands_for_a_delete() -> None:
    stub = {**stamped(KEY), DELETED: {"BOOL": True}}
    assert Image(stub).is_stub
    write = replicated_write(Image(stub))
    assert write is not None
    assert write.is_delete


def test_a_stub_that_an_application_wrote_into_is_none() -> None:
    stub = {**stamped(KEY), DELETED: {"BOOL": True}}
    assert not Image({**stub, "v": {"S": "back again"}}).is_stub


@pytest.mark.parametrize("mark", [{"BOOL": False}, {"S": "true"}])
def test_a_mark_that_is_not_true_makes_no_stub(mark: dict[str, Any]) -> None:
    assert not Image({**stamped(KEY), DELETED: mark}).is_stub
