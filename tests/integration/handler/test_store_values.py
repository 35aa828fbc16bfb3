"""The contract of a Store: every value that an item can have, and how large an item can be."""

from decimal import Decimal
from typing import Any

import pytest

from handler.model.image import VERSION, Item, application_attributes
from handler.model.version import Version
from handler.store.dynamodb import ConditionFailed, IfOlder, IfUnchanged, ItemTooLargeError, Written
from local.data.item_size import item_size
from tests.support.store_backends import KEY, Bench, bench_params
from tests.support.stream_records import stamped

BYTES = bytes(range(256))
OURS = stamped({**KEY, "v": {"S": "ours"}}, 500)
OLDER = IfOlder(Version(OURS[VERSION]["B"]))

RICH: dict[str, dict[str, Any]] = {
    "binary": {"B": BYTES},
    "no bytes": {"B": b""},
    "a set of binaries": {"BS": [b"\x00", BYTES]},
    "a set with no bytes in it": {"BS": [b"", b"\x00"]},
    "a set of texts": {"SS": ["a", "b"]},
    "a set with no text in it": {"SS": ["", "a"]},
    "a set of numbers": {"NS": ["-1", "2.5"]},
    "38 digits": {"N": "12345678901234567890123456789012345678"},
    "38 digits behind the point": {"N": "0.12345678901234567890123456789012345678"},
    "a set of 38 digits": {"NS": ["-12345678901234567890123456789012345678", "0"]},
    "the largest": {"N": "9.9999999999999999999999999999999999999E+125"},
    "the least": {"N": "-9.9999999999999999999999999999999999999E+125"},
    "the smallest": {"N": "1E-130"},
    "zeroes around": {"N": "0010.500"},
    "no text": {"S": ""},
    "beyond the basic plane": {"S": "𝄞 é \x00"},
    "no list": {"L": []},
    "no map": {"M": {}},
    "nothing": {"NULL": True},
    "nothing, deep": {"M": {"a": {"L": [{"NULL": True}, {"M": {"n": {"NULL": True}}}]}}},
    "no text, deep": {"L": [{"S": ""}, {"M": {"a": {"B": b""}}}]},
    "binary, deep": {"L": [{"M": {"b": {"B": BYTES}, "bs": {"BS": [b"x"]}}}]},
    "a lie": {"BOOL": False},
}


def meant(item: Item | None) -> Any:
    """What an item means: neither a set's order nor the spelling of a number does."""
    return item and {name: _meant(value) for name, value in item.items()}


def _meant(value: Any) -> Any:
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return Decimal(content)
        case "NS":
            return {Decimal(member) for member in content}
        case "SS" | "BS":
            return set(content)
    return value


@pytest.mark.parametrize("kind", RICH)
def test_every_kind_of_value_comes_back_as_it_was_put(bench: Bench, kind: str) -> None:
    rich = stamped({**KEY, "v": RICH[kind]})
    bench.run(bench.store.put(KEY, rich, IfUnchanged(None)))
    assert meant(bench.run(bench.store.read(KEY))) == meant(rich)


@pytest.mark.parametrize("kind", RICH)
def test_what_was_read_is_put_and_comes_back_letter_for_letter(bench: Bench, kind: str) -> None:
    # A version's digest is over the letters, and every member must come to the same.
    bench.lay({**KEY, "v": RICH[kind]})
    read = bench.run(bench.store.read(KEY))
    assert read is not None
    ours = stamped(read)
    bench.run(bench.store.put(KEY, ours, OLDER))
    again = bench.run(bench.store.read(KEY))
    assert again is not None
    assert stamped(application_attributes(again)) == again


@pytest.mark.parametrize("kind", RICH)
@pytest.mark.parametrize(("seconds", "is_refused"), [(400, False), (600, True)])
def test_an_outcome_returns_every_kind_of_value_as_it_stood_there(
    bench: Bench, kind: str, seconds: int, is_refused: bool
) -> None:
    rich = stamped({**KEY, "v": RICH[kind]}, seconds)
    bench.lay(rich)
    match bench.run(bench.store.put(KEY, OURS, OLDER)):
        case ConditionFailed(stood):
            assert is_refused
        case Written(stood):
            assert not is_refused
    assert meant(stood) == meant(rich)


def filled(size: int, item: Item) -> dict[str, Any]:
    """The item with an attribute more, so that it has that size."""
    return {**item, "fill": {"S": "x" * (size - item_size({**item, "fill": {"S": ""}}))}}


STAMP = item_size(stamped(KEY)) - item_size(KEY)


def test_an_item_of_exactly_the_limit_is_written(bench: Bench) -> None:
    ours = stamped(filled(bench.limit - STAMP, KEY))
    assert item_size(ours) == bench.limit
    assert bench.run(bench.store.put(KEY, ours, IfUnchanged(None))) == Written(None)
    assert bench.lying() == ours


def test_an_item_that_only_just_fits_does_not_with_the_rings_attributes(bench: Bench) -> None:
    theirs = filled(bench.limit - STAMP + 1, KEY)
    bench.lay(theirs)
    with pytest.raises(ItemTooLargeError, match="size has exceeded"):
        bench.run(bench.store.put(KEY, stamped(theirs), OLDER))
    assert bench.lying() == theirs


def test_an_item_that_is_too_large_is_refused_as_such_whatever_its_condition(bench: Bench) -> None:
    newer = stamped(KEY, 600)
    bench.lay(newer)
    with pytest.raises(ItemTooLargeError):
        bench.run(bench.store.put(KEY, stamped(filled(bench.limit, KEY)), IfUnchanged(None)))
    assert bench.lying() == newer


def test_a_large_item_that_stood_there_is_returned_whole(bench: Bench) -> None:
    newer = stamped(filled(bench.limit - STAMP, KEY), 600)
    bench.lay(newer)
    assert bench.run(bench.store.put(KEY, OURS, OLDER)) == ConditionFailed(newer)
    assert bench.run(bench.store.put(KEY, OURS, IfUnchanged(newer))) == Written(newer)


@pytest.mark.parametrize("bench", bench_params(without="moto"), indirect=True)
@pytest.mark.parametrize("kind", RICH)
def test_the_size_of_every_kind_of_value_counts(bench: Bench, kind: str) -> None:
    # moto counts some of them otherwise: see docs/explanation/servers.md.
    fits = stamped(filled(bench.limit - STAMP, {**KEY, "v": RICH[kind]}))
    bench.run(bench.store.put(KEY, fits, IfUnchanged(None)))
    over = stamped(filled(bench.limit - STAMP + 1, {**KEY, "v": RICH[kind]}))
    with pytest.raises(ItemTooLargeError):
        bench.run(bench.store.put(KEY, over, OLDER))
