"""Batches that come back in part: what was left out is asked for again, and never guessed.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchStatementError.html
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handler.errors import FailureKind, classify, is_transient
from handler.model.image import DELETED, Image, Item, Key, Write, replicated_write
from handler.model.version import Version
from handler.retry import RetryBudget, RetryingStore
from handler.store.batching import BatchingStore
from handler.store.dynamodb import IfOlder, MemberTables, Store, Written
from tests.support.stream_records import stamped, version

Part = Callable[[Sequence[Any]], Sequence[int]]
"""Which of what is asked, by place, is answered."""


def key(number: int) -> Key:
    return {"k": {"N": str(number)}}


def delete(number: int) -> Write:
    write = replicated_write(Image({**stamped(key(number)), DELETED: {"BOOL": True}}))
    assert write is not None
    return write


class Api:
    """DynamoDB as far as a batch of reads or of statements goes; each key has a tombstone."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self.requests: list[int] = []
        """How much was asked in each request."""
        self.done: Counter[str] = Counter()
        """How often a statement was executed, by its key."""

    async def __call__(self, operation: str, request: Mapping[str, Any]) -> Any:
        """See Call."""
        if operation == "BatchGetItem":
            return self._get(request["RequestItems"]["tombstones"]["Keys"])
        assert operation == "BatchExecuteStatement"
        return {"Responses": self._execute(request["Statements"])}

    def _get(self, keys: Sequence[Key]) -> Any:
        self.requests.append(len(keys))
        answered = set(self._part(keys))
        found = [delete(int(key["k"]["N"])).item for at, key in enumerate(keys) if at in answered]
        left_out = [key for at, key in enumerate(keys) if at not in answered]
        answer: dict[str, Any] = {"Responses": {"tombstones": found}, "UnprocessedKeys": {}}
        if left_out:
            # A number comes back as DynamoDB spells it.
            spelled: list[Item] = [{"k": {"N": f"{key['k']['N']}.0"}} for key in left_out]
            answer["UnprocessedKeys"] = {"tombstones": {"Keys": spelled, "ConsistentRead": True}}
        return answer

    def _execute(self, statements: Sequence[Any]) -> list[Any]:
        self.requests.append(len(statements))
        answered = set(self._part(statements))
        responses: list[Any] = []
        for at, one in enumerate(statements):
            if at in answered:
                self.done[one["Parameters"][0]["N"]] += 1
                responses.append({"TableName": "orders"})
            else:
                responses.append({"Error": {"Code": "ThrottlingError", "Message": "slow down"}})
        return responses


def together(api: Api, ask: Callable[[Store], Sequence[Coroutine[Any, Any, Any]]]) -> list[Any]:
    """Ask a batched store, that does not try again, for all at once."""

    async def all_of_them() -> list[Any]:
        store = BatchingStore(api, MemberTables("orders", "tombstones", 60))
        return await asyncio.gather(*ask(store), return_exceptions=True)

    return asyncio.run(all_of_them())


def patiently(api: Api, ask: Callable[[Store], Sequence[Coroutine[Any, Any, Any]]]) -> list[Any]:
    """Ask as a hop does: what fails for the moment is tried again."""

    async def go_on(_: float) -> None:
        await asyncio.sleep(0)

    async def all_of_them() -> list[Any]:
        patience = RetryBudget(
            lambda: 60.0, is_transient, reserve_seconds=9.0, max_concurrency=32, pause=go_on
        )
        store = BatchingStore(api, MemberTables("orders", "tombstones", 60), gate=patience.limit)
        return await asyncio.gather(*ask(RetryingStore(store, patience)))

    return asyncio.run(all_of_them())


def tombstones(count: int) -> Callable[[Store], Sequence[Coroutine[Any, Any, Any]]]:
    return lambda store: [store.get_tombstone(key(number)) for number in range(count)]


def puts(count: int) -> Callable[[Store], Sequence[Coroutine[Any, Any, Any]]]:
    items = [stamped(key(number)) for number in range(count)]
    newer = IfOlder(Version(version(600)))
    return lambda store: [store.put(key(at), item, newer) for at, item in enumerate(items)]


def first_half(asked: Sequence[Any]) -> Sequence[int]:
    return range((len(asked) + 1) // 2)


def last_alone(asked: Sequence[Any]) -> Sequence[int]:
    return [len(asked) - 1]


def test_a_key_that_was_left_out_is_not_one_without_a_tombstone() -> None:
    found = together(Api(first_half), tombstones(10))
    assert found[:5] == [delete(number) for number in range(5)]
    assert [classify(one) for one in found[5:]] == [FailureKind.TRANSIENT] * 5


def test_where_all_keys_were_left_out_none_is_without_a_tombstone() -> None:
    found = together(Api(lambda _: ()), tombstones(3))
    assert [classify(one) for one in found] == [FailureKind.TRANSIENT] * 3


@pytest.mark.parametrize("part", [first_half, last_alone])
def test_what_was_left_out_is_asked_for_again_until_all_of_it_has_come(part: Part) -> None:
    api = Api(part)
    assert patiently(api, tombstones(150)) == [delete(number) for number in range(150)]
    assert api.requests[:2] == [100, 50]
    assert max(api.requests) <= 100


def test_a_statement_that_was_not_executed_fails_alone_and_for_the_moment() -> None:
    api = Api(first_half)
    outcomes = together(api, puts(10))
    assert outcomes[:5] == [Written(None)] * 5
    assert all(isinstance(one, ClientError) for one in outcomes[5:])
    assert [classify(one) for one in outcomes[5:]] == [FailureKind.TRANSIENT] * 5


@pytest.mark.parametrize("part", [first_half, last_alone])
def test_it_is_made_again_and_those_that_were_executed_are_not(part: Part) -> None:
    api = Api(part)
    assert patiently(api, puts(60)) == [Written(None)] * 60
    assert api.done == {str(number): 1 for number in range(60)}
    assert max(api.requests) <= 25


def test_an_answer_with_too_few_outcomes_leaves_none_of_its_statements_done() -> None:
    class Short(Api):
        def _execute(self, statements: Sequence[Any]) -> list[Any]:
            return super()._execute(statements)[1:]

    outcomes = together(Short(lambda asked: range(len(asked))), puts(3))
    assert [classify(one) for one in outcomes] == [FailureKind.FAULT] * 3


def refused(code: str, status: int) -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": "no"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, "BatchExecuteStatement")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ValidationException", 400),
        ("SerializationException", 400),
        ("ItemCollectionSizeLimitExceededException", 400),
        ("413", 413),
        ("RequestEntityTooLargeException", 413),
    ],
)
def test_of_a_batch_that_is_refused_whole_each_item_has_an_answer_of_its_own(
    code: str, status: int
) -> None:
    class Refusing(Api):
        """Refuses a request of many for one of them, which is refused alone as well."""

        async def __call__(self, operation: str, request: Mapping[str, Any]) -> Any:
            """See Call."""
            number = request.get("Item", request.get("Key", {})).get("k", {}).get("N")
            if number is None or number == "1":
                raise refused(code, status)
            return {"Item": delete(int(number)).item} if operation == "GetItem" else {}

    outcomes = together(Refusing(first_half), puts(4))
    assert [one for one in outcomes if not isinstance(one, Exception)] == [Written(None)] * 3
    assert isinstance(outcomes[1], ClientError)
    found = together(Refusing(first_half), tombstones(4))
    assert [found[at] for at in (0, 2, 3)] == [delete(at) for at in (0, 2, 3)]
    assert isinstance(found[1], ClientError)
