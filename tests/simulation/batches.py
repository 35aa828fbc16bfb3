"""Stores that batch writes and reads: the handler's own batching, with partial responses."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from handler.model.image import DELETED, VERSION, Item, Key
from handler.store.batching import BatchingStore
from handler.store.dynamodb import (
    ConditionFailed,
    DynamoStore,
    IfUnchanged,
    MemberTables,
    parse_tombstone,
)
from handler.store.request_batcher import RequestBatcher
from tests.simulation.member import Member, SimulatedStore, Turn

_TABLE, _TOMBSTONES = "items", "tombstones"


class _Single(SimulatedStore, DynamoStore):  # type: ignore[misc]
    """The simulation's single calls, in place of those that DynamoStore makes."""


class SimulatedBatchingStore(BatchingStore, _Single):  # type: ignore[misc]
    """The handler's batching Store over a member.

    Its single calls are made by ``SimulatedStore``, which follows it in the order of bases.
    """

    def __init__(self, member: Member, leaves_out: Callable[[], bool], **single: Any) -> None:
        """Take what SimulatedStore takes, and what decides that part of a batch is not done."""
        SimulatedStore.__init__(self, member, **single)
        tombstones = _TOMBSTONES if single["keeps_tombstones"] else None
        api = _Api(SimulatedStore(member, **single), leaves_out)
        DynamoStore.__init__(self, api, MemberTables(_TABLE, tombstones, 0), lambda: 0)
        self._statements = _SimulatedBatcher(self._execute, 25)
        self._keys = _SimulatedBatcher(self._get_tombstones, 100)


class _Submitted:
    """An item that a coroutine submitted, and its result."""

    def __init__(self, item: Any) -> None:
        self.item = item
        self.result: list[Any] = []
        """Empty until there is one."""


class _SimulatedBatcher(RequestBatcher[Any, Any]):
    """A RequestBatcher without an event loop: the scheduler decides what goes into one batch."""

    async def submit(self, item: Any) -> Any:
        """See RequestBatcher."""
        submitted = _Submitted(item)
        self._submitted.append(submitted)
        try:
            await Turn()  # other coroutines may submit as well
            while not submitted.result:
                if submitted in self._submitted:
                    await self._send_batch()
                else:
                    await Turn()  # another coroutine's request has it
        finally:
            if submitted in self._submitted:  # this coroutine was closed
                self._submitted.remove(submitted)
        (result,) = submitted.result
        if isinstance(result, Exception):
            raise result
        return result

    @cached_property
    def _submitted(self) -> list[_Submitted]:
        return []

    async def _send_batch(self) -> None:
        batch = self._submitted[: self._max_items]
        del self._submitted[: self._max_items]
        results: Sequence[Any] = [OSError("the coroutine that sent the batch was closed")] * len(
            batch
        )
        try:
            results = await self._send([submitted.item for submitted in batch])
        except Exception as error:
            results = [error] * len(batch)
        finally:
            for submitted, result in zip(batch, results, strict=True):
                submitted.result.append(result)


class _Api:
    """DynamoDBApi with the two operations that take many keys."""

    def __init__(self, single: SimulatedStore, leaves_out: Callable[[], bool]) -> None:
        self._single = single
        self._member = single.member
        self._leaves_out = leaves_out

    async def __call__(self, operation: str, request: Mapping[str, Any]) -> Any:
        await self._single._begin()
        if operation == "BatchGetItem":
            return self._get(request["RequestItems"][_TOMBSTONES]["Keys"])
        assert operation == "BatchExecuteStatement"
        responses = []
        for statement in request["Statements"]:
            responses.append(self._execute(statement["Statement"], statement["Parameters"]))
            await Turn()  # they are executed one by one, with others' writes between
        self._single._trouble("after")
        return {"Responses": responses}

    def _get(self, keys: Sequence[Key]) -> dict[str, Any]:
        left_out = [key for key in keys if self._leaves_out()]
        read = [key["k"]["S"] for key in keys if key not in left_out]
        self._member.reads += len(read)
        found = [
            self._member.tombstones[name].item for name in read if name in self._member.tombstones
        ]
        unprocessed = {_TOMBSTONES: {"Keys": left_out}} if left_out else {}
        return {"Responses": {_TOMBSTONES: found}, "UnprocessedKeys": unprocessed}

    def _execute(self, statement: str, parameters: Sequence[Any]) -> dict[str, Any]:
        """Execute a statement; one that is left out is not executed, or its result is lost."""
        if self._leaves_out():
            return _error("ThrottlingError")
        names = re.findall(r"""['"](\w+)['"](?:: \?| = \?)""", statement)
        item: Item = dict(zip(names, parameters, strict=True))
        if statement.startswith("DELETE"):
            result = self._delete(item)
        elif f'"{_TOMBSTONES}"' in statement:
            result = self._put_tombstone(item)
        else:
            result = self._insert(item)
        return _error("InternalServerError") if self._leaves_out() else result

    def _insert(self, item: Item) -> dict[str, Any]:
        if not self._single._fits(item):
            return _error("ValidationError")
        outcome = self._single._write({"k": item["k"]}, item, IfUnchanged(None))
        return _error("DuplicateItem") if isinstance(outcome, ConditionFailed) else {}

    def _delete(self, stub: Item) -> dict[str, Any]:
        current = self._member.items.get(stub["k"]["S"])
        if current is None:
            return {}
        if any(current.get(name) != stub[name] for name in (VERSION, DELETED)):
            return _error("ConditionalCheckFailed")
        self._member.write({"k": stub["k"]}, None)
        return {"Item": current}

    def _put_tombstone(self, item: Item) -> dict[str, Any]:
        name, delete = item["k"]["S"], parse_tombstone(item)
        assert delete is not None
        self._member.writes += 1
        if name in self._member.tombstones:
            return _error("DuplicateItem")
        self._member.tombstones[name] = delete
        return {}


def _error(code: str) -> dict[str, Any]:
    return {"Error": {"Code": code, "Message": "simulated"}}
