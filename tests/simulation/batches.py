"""Hops that write and read in batches: the handler's own batching, answered in part."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
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
from tests.simulation.member import Member, SimulatedStore, Turn

_TABLE, _TOMBSTONES = "items", "tombstones"


class _Single(SimulatedStore, DynamoStore):  # type: ignore[misc]
    """The simulation's single calls, in the place of those that DynamoStore makes."""


class SimulatedBatchingStore(BatchingStore, _Single):  # type: ignore[misc]
    """The handler's batched Store over a member.

    What it asks for alone is done by ``SimulatedStore``, which follows it in the order of bases.
    """

    def __init__(self, member: Member, leaves_out: Callable[[], bool], **single: Any) -> None:
        """Take what SimulatedStore takes, and what says that part of a batch is left undone."""
        SimulatedStore.__init__(self, member, **single)
        kept = _TOMBSTONES if single["keeps_tombstones"] else None
        api = _Api(SimulatedStore(member, **single), leaves_out)
        DynamoStore.__init__(self, api, MemberTables(_TABLE, kept, 0), lambda: 0)
        self._statements: Any = _Gathering(self._execute, 25)
        self._keys: Any = _Gathering(self._get_tombstones, 100)


class _Asked:
    """What a coroutine asked, and its answer."""

    def __init__(self, asked: Any) -> None:
        self.asked = asked
        self.answer: list[Any] = []
        """Empty until there is one."""


class _Gathering:
    """``request_batcher.Gatherer`` without an event loop: the scheduler says who asks together."""

    def __init__(self, send: Callable[[Any], Awaitable[Sequence[Any]]], most: int) -> None:
        self._send = send
        self._most = most
        self._waiting: list[_Asked] = []

    async def ask(self, asked: Any) -> Any:
        """See Gatherer."""
        one = _Asked(asked)
        self._waiting.append(one)
        try:
            await Turn()  # others may ask as well
            while not one.answer:
                if one in self._waiting:
                    await self._request()
                else:
                    await Turn()  # somebody else's request has it
        finally:
            if one in self._waiting:  # who asked is no more
                self._waiting.remove(one)
        (answer,) = one.answer
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def _request(self) -> None:
        share, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        answers: Sequence[Any] = [OSError("the request ended with who made it")] * len(share)
        try:
            answers = await self._send([one.asked for one in share])
        except Exception as error:
            answers = [error] * len(share)
        finally:
            for one, answer in zip(share, answers, strict=True):
                one.answer.append(answer)


class _Api:
    """The two operations of DynamoDB's that take many keys; see ``handler.aws.api.Call``."""

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
        for one in request["Statements"]:
            responses.append(self._execute(one["Statement"], one["Parameters"]))
            await Turn()  # they are done one by one, and others' writes lie between
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
        """Execute a statement; one that is left out is either not done, or not heard of."""
        if self._leaves_out():
            return _error("ThrottlingError")
        names = re.findall(r"""['"](\w+)['"](?:: \?| = \?)""", statement)
        item: Item = dict(zip(names, parameters, strict=True))
        if statement.startswith("DELETE"):
            answer = self._delete(item)
        elif f'"{_TOMBSTONES}"' in statement:
            answer = self._bury(item)
        else:
            answer = self._insert(item)
        return _error("InternalServerError") if self._leaves_out() else answer

    def _insert(self, item: Item) -> dict[str, Any]:
        if not self._single._fits(item):
            return _error("ValidationError")
        outcome = self._single._write({"k": item["k"]}, item, IfUnchanged(None))
        return _error("DuplicateItem") if isinstance(outcome, ConditionFailed) else {}

    def _delete(self, stub: Item) -> dict[str, Any]:
        standing = self._member.items.get(stub["k"]["S"], {})
        if any(standing.get(name) != stub[name] for name in (VERSION, DELETED)):
            return _error("ConditionalCheckFailed")
        self._member.write({"k": stub["k"]}, None)
        return {}

    def _bury(self, kept: Item) -> dict[str, Any]:
        name, delete = kept["k"]["S"], parse_tombstone(kept)
        assert delete is not None
        self._member.writes += 1
        if name in self._member.tombstones:
            return _error("DuplicateItem")
        self._member.tombstones[name] = delete
        return {}


def _error(code: str) -> dict[str, Any]:
    return {"Error": {"Code": code, "Message": "so it is here"}}
