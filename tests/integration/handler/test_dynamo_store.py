"""What the Store over DynamoDB promises beyond the contract: its calls, errors, keys and times."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from botocore.exceptions import ClientError

from handler.model.image import DELETED, VERSION, Image, Item, Key, Write, replicated_write
from handler.model.version import Version
from handler.store.dynamodb import EXPIRES, ConditionFailed, IfOlder, IfUnchanged, Written
from tests.support.store_backends import KEY, NOW, RETENTION, DynamoBench
from tests.support.stream_records import stamped

Over = Callable[..., AbstractContextManager[DynamoBench]]


def delete(key: Key = KEY) -> Write:
    write = replicated_write(Image({**stamped(key), DELETED: {"BOOL": True}}))
    assert write is not None
    return write


def version_of(item: Item) -> Version:
    return Version(item[VERSION]["B"])


def test_a_tombstone_expires_when_its_retention_is_over(over_dynamodb: Over) -> None:
    with over_dynamodb() as bench:
        bench.run(bench.store.put_tombstone(KEY, delete()))
        kept = bench.read("orders-tombstones", KEY)
        assert kept is not None
        assert kept[EXPIRES] == {"N": str(NOW + RETENTION)}


def test_where_no_tombstones_are_kept_none_is_asked_for(over_dynamodb: Over) -> None:
    with over_dynamodb(tombstones=False) as bench:
        bench.run(bench.store.put_tombstone(KEY, delete()))
        assert bench.run(bench.store.get_tombstone(KEY)) is None
        assert bench.calls == []


def test_every_read_is_strongly_consistent(over_dynamodb: Over) -> None:
    with over_dynamodb() as bench:
        bench.run(bench.store.read(KEY))
        bench.run(bench.store.get_tombstone(KEY))
        assert [(name, params["ConsistentRead"]) for name, params in bench.calls] == [
            ("GetItem", True),
            ("GetItem", True),
        ]


def test_a_write_is_one_conditional_call_whether_it_is_refused_or_not(over_dynamodb: Over) -> None:
    item = stamped({**KEY, "v": {"S": "a"}})
    with over_dynamodb() as bench:
        bench.run(bench.store.put(KEY, item, IfOlder(version_of(item))))
        bench.run(bench.store.put(KEY, item, IfOlder(version_of(item))))
        bench.run(bench.store.delete_if_older(KEY, version_of(item)))
        bench.run(bench.store.delete_stub(KEY, version_of(item)))
        assert [name for name, _ in bench.calls] == [
            "PutItem",
            "PutItem",
            "DeleteItem",
            "DeleteItem",
        ]
        assert all("ConditionExpression" in params for _, params in bench.calls)


def test_any_other_error_of_dynamodb_comes_through_as_it_is(over_dynamodb: Over) -> None:
    with over_dynamodb() as bench:
        bench.client.delete_table(TableName="orders")
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            bench.run(bench.store.put(KEY, stamped(KEY), IfUnchanged(None)))


def test_another_mistake_in_a_request_is_not_taken_for_an_item_that_is_too_large(
    over_dynamodb: Over,
) -> None:
    with over_dynamodb() as bench, pytest.raises(ClientError, match="ValidationException"):
        bench.run(bench.store.put(KEY, stamped({"other": {"S": "no key"}}), IfUnchanged(None)))


@pytest.mark.parametrize(
    "key",
    [
        {"customer": {"S": "c"}, "order": {"S": "o"}},
        {"customer": {"B": b"\x00\xff"}, "order": {"N": "-1.5"}},
        {"name": {"S": "a reserved word"}, "a-b.c#d": {"B": b"\xfe"}},
    ],
)
def test_keys_of_every_kind_and_name_are_served(over_dynamodb: Over, key: Key) -> None:
    ours, newer = stamped({**key, "v": {"S": "a"}}, 500), stamped({**key, "v": {"S": "b"}}, 600)
    with over_dynamodb(key=key) as bench:
        store, there = bench.store, IfOlder(version_of(ours), or_absent=False)
        assert bench.run(store.put(key, ours, there)) == ConditionFailed(None)
        assert bench.run(store.put(key, ours, IfUnchanged(None))) == Written(None)
        assert bench.run(store.put(key, ours, IfUnchanged(None))) == ConditionFailed(ours)
        assert bench.run(store.put(key, newer, IfOlder(version_of(newer)))) == Written(ours)
        assert bench.run(store.read(key)) == newer
        assert bench.run(store.delete_if_older(key, version_of(newer))) == ConditionFailed(newer)
        bench.run(bench.store.put_tombstone(key, delete(key)))
        assert bench.run(bench.store.get_tombstone(key)) == delete(key)
