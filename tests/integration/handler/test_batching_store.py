"""The Store that gathers: how few requests it makes, and that each write has an outcome of its own.

That it keeps to the contract of a Store is in ``test_store``. moto knows no parameters in PartiQL,
so this runs on dynoxide.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handler.errors import FailureKind, classify
from handler.model.image import DELETED, VERSION, Image, Item, Key, Write, replicated_write
from handler.model.version import Version
from handler.store import batching
from handler.store.batching import BatchingStore
from handler.store.dynamodb import ConditionFailed, IfOlder, Written
from tests.support.store_backends import DynamoBench, over_dynoxide
from tests.support.stream_records import stamped


@pytest.fixture
def bench() -> Iterator[DynamoBench]:
    with over_dynoxide(make=BatchingStore) as one:
        yield one


def key(number: int) -> Key:
    return {"k": {"S": f"{number}"}}


def item(number: int, **more: Any) -> Item:
    return stamped({**key(number), "v": {"S": "ours"}, **more})


def create(bench: DynamoBench, one: Item) -> Coroutine[Any, Any, Written | ConditionFailed]:
    return bench.store.put({"k": one["k"]}, one, IfOlder(Version(one[VERSION]["B"])))


def delete(number: int) -> Write:
    write = replicated_write(Image({**stamped(key(number)), DELETED: {"BOOL": True}}))
    assert write is not None
    return write


def together(bench: DynamoBench, calls: list[Coroutine[Any, Any, Any]]) -> list[Any]:
    async def all_of_them() -> list[Any]:
        return await asyncio.gather(*calls, return_exceptions=True)

    return bench.run(all_of_them())


def requests(bench: DynamoBench) -> Counter[str]:
    return Counter(name for name, _ in bench.calls)


def test_sixty_items_are_created_in_three_requests(bench: DynamoBench) -> None:
    outcomes = together(bench, [create(bench, item(number)) for number in range(60)])
    assert outcomes == [Written(None)] * 60
    assert requests(bench) == {"BatchExecuteStatement": 3}
    assert bench.read("orders", key(59)) == item(59)


def test_each_write_of_a_request_has_its_own_outcome(bench: DynamoBench) -> None:
    newer, older = stamped({**key(1), "v": {"S": "b"}}, 600), stamped(key(2), 400)
    bench.client.put_item(TableName="orders", Item=newer)
    bench.client.put_item(TableName="orders", Item=older)
    outcomes = together(bench, [create(bench, item(number)) for number in (1, 2, 3)])
    assert outcomes == [ConditionFailed(newer), Written(older), Written(None)]
    assert requests(bench) == {"BatchExecuteStatement": 1, "PutItem": 2}


def test_the_tombstones_of_a_hundred_and_fifty_keys_are_read_in_two_requests(
    bench: DynamoBench,
) -> None:
    together(
        bench,
        [bench.store.put_tombstone(key(number), delete(number)) for number in range(0, 150, 2)],
    )
    assert requests(bench) == {"BatchExecuteStatement": 3}
    bench.calls.clear()
    found = together(bench, [bench.store.get_tombstone(key(number)) for number in range(150)])
    assert found == [None if number % 2 else delete(number) for number in range(150)]
    assert requests(bench) == {"BatchGetItem": 2}
    assert all(
        params["RequestItems"]["orders-tombstones"]["ConsistentRead"] for _, params in bench.calls
    )


def test_stubs_are_taken_away_in_one_request_and_nothing_else_is(bench: DynamoBench) -> None:
    stub, edited = delete(1), {**item(2), VERSION: {"B": delete(2).version}}
    bench.client.put_item(TableName="orders", Item=stub.item)
    bench.client.put_item(TableName="orders", Item=edited)
    outcomes = together(
        bench,
        [bench.store.delete_stub(key(number), delete(number).version) for number in (1, 2, 3)],
    )
    assert outcomes == [Written(None), ConditionFailed(edited), ConditionFailed(None)]
    assert [bench.read("orders", key(number)) for number in (1, 2, 3)] == [None, edited, None]
    assert requests(bench)["BatchExecuteStatement"] == 1


@pytest.mark.parametrize(
    "poison",
    [
        {"v": {"S": "x" * 409_600}},
        {"v": {"NS": ["1", "1.0"]}},
        {"": {"S": "x"}},
        {"v": {"N": "1E+200"}},
    ],
    ids=["too large", "fails all in the request", "no name", "no number"],
)
def test_an_item_that_is_refused_is_refused_alone_and_in_the_words_that_are_known(
    bench: DynamoBench, poison: dict[str, Any]
) -> None:
    first, refused, last = together(
        bench, [create(bench, one) for one in (item(1), item(2, **poison), item(3))]
    )
    assert (first, last) == (Written(None), Written(None))
    assert classify(refused) is FailureKind.PERMANENT
    assert bench.read("orders", key(3)) == item(3)


def test_attributes_of_any_name_are_written_as_they_are(bench: DynamoBench) -> None:
    names = ("it's", 'a"b', "a b.c#d[0]", "back\\slash", "日本", "?", "{}", "SELECT", "--")
    odd = item(1, **{name: {"S": name} for name in names})
    assert bench.run(create(bench, odd)) == Written(None)
    assert bench.read("orders", key(1)) == odd
    assert requests(bench) == {"BatchExecuteStatement": 1}


def test_an_item_with_too_many_names_for_a_statement_is_put_alone(bench: DynamoBench) -> None:
    wide = item(1, **{f"attribute {number}": {"S": ""} for number in range(500)})
    assert bench.run(create(bench, wide)) == Written(None)
    assert bench.read("orders", key(1)) == wide
    assert requests(bench) == {"PutItem": 1}


def test_no_statement_is_remembered_for_names_that_no_statement_holds(bench: DynamoBench) -> None:
    batching._insert_statement.cache_clear()
    wide = item(1, **{f"{number}" * 5_000: {"S": ""} for number in range(10)})
    assert bench.run(create(bench, wide)) == Written(None)
    assert batching._insert_statement.cache_info().currsize == 0


def test_a_statement_that_is_throttled_fails_for_the_moment_and_is_not_made_alone(
    bench: DynamoBench,
) -> None:
    throttled = {"Error": {"Code": "ThrottlingError", "Message": "slow down"}}
    bench.answers["BatchExecuteStatement"] = {"Responses": [{}, throttled]}
    first, second = together(bench, [create(bench, item(number)) for number in (1, 2)])
    assert first == Written(None)
    assert isinstance(second, ClientError)
    assert classify(second) is FailureKind.TRANSIENT
    assert requests(bench) == {"BatchExecuteStatement": 1}


def test_an_error_without_a_code_is_a_fault_of_its_own_statement(bench: DynamoBench) -> None:
    # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchStatementError.html
    bench.answers["BatchExecuteStatement"] = {"Responses": [{}, {"Error": {}}]}
    first, second = together(bench, [create(bench, item(number)) for number in (1, 2)])
    assert first == Written(None)
    assert classify(second) is FailureKind.FAULT


def test_a_key_that_was_left_out_fails_for_the_moment_and_the_others_are_answered(
    bench: DynamoBench,
) -> None:
    bench.answers["BatchGetItem"] = {
        "Responses": {"orders-tombstones": [delete(1).item]},
        "UnprocessedKeys": {"orders-tombstones": {"Keys": [key(2)]}},
    }
    found, left_out, none = together(
        bench, [bench.store.get_tombstone(key(number)) for number in (1, 2, 3)]
    )
    assert (found, none) == (delete(1), None)
    assert classify(left_out) is FailureKind.TRANSIENT


@pytest.mark.parametrize("number", ["1E+200", "1" * 40, "no number", "", "NaN", "sNaN"])
def test_a_key_that_is_refused_is_refused_alone(number: str) -> None:
    with over_dynoxide(make=BatchingStore, key={"k": {"N": "1"}}) as numbered:
        keys: list[Key] = [{"k": {"N": one}} for one in ("1", number, "2")]
        asked = [numbered.store.get_tombstone(one) for one in keys]
        first, refused, last = together(numbered, asked)
    assert (first, last) == (None, None)
    assert classify(refused) is FailureKind.PERMANENT


def test_where_all_keys_were_left_out_all_fail_for_the_moment(bench: DynamoBench) -> None:
    left_out = {"orders-tombstones": {"Keys": [key(1), key(2)]}}
    bench.answers["BatchGetItem"] = {"Responses": {}, "UnprocessedKeys": left_out}
    found = together(bench, [bench.store.get_tombstone(key(number)) for number in (1, 2)])
    assert [classify(one) for one in found] == [FailureKind.TRANSIENT] * 2


def test_items_that_are_too_much_for_one_request_are_put_alone(bench: DynamoBench) -> None:
    # In JSON each of these letters is six, so 6 MB of a batch of Lambda's are more than 16 MB.
    large = [item(number, v={"S": "ж" * 195_000}) for number in range(15)]
    outcomes = together(bench, [create(bench, one) for one in large])
    assert outcomes == [Written(None)] * 15
    assert requests(bench) == {"PutItem": 15}


def test_a_key_is_found_however_its_number_is_spelled() -> None:
    asked: Key = {"k": {"N": "1.0"}, "s": {"S": "1.0"}}
    assert batching._identity(asked) == batching._identity({"s": {"S": "1.0"}, "k": {"N": "1"}})
    assert batching._identity(asked) != batching._identity({"s": {"S": "1"}, "k": {"N": "1"}})
