"""Every implementation of Store, each on a bench where a test can do things behind its back.

To put another one through the contract, add a function that makes its bench to ``BENCHES``.
"""

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from functools import cache, partial
from typing import Any, Protocol, TypeVar
from unittest.mock import patch

import botocore.session
import pytest
from botocore.awsrequest import AWSResponse, HTTPHeaders
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws

from handler.aws import clients
from handler.aws.api import BotocoreApi, DynamoDBApi
from handler.aws.clients import make_api, make_client
from handler.model.image import Item, Key
from handler.protocol.decide import ReplicaId
from handler.store.batching import BatchingStore
from handler.store.dynamodb import DynamoStore, MemberTables, Store
from local.data.item_size import LIMIT, item_size
from local.moto_patches.expressions.comparisons import comparisons_by_type
from tests.simulation.member import Member, SimulatedStore
from tests.support.dynamodb_servers import dynoxide, ministack
from tests.support.pair import run

T = TypeVar("T")

KEY: Key = {"k": {"S": "1"}}
NOW = 1_700_000_000
RETENTION = 7 * 24 * 60 * 60


class Bench(Protocol):
    """A store under test; its keys are those of a table whose partition key is the text ``k``."""

    store: Store
    limit: int
    """The size in bytes of the largest item."""

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        """Wait for the answer to a call."""

    def lay(self, item: Item | None) -> None:
        """Write an item as an application does; None: there is none."""

    def lying(self) -> Item | None:
        """The item of KEY, as an application reads it."""

    def refusing(self, code: str) -> AbstractContextManager[None]:
        """Let every call of the store fail with that error of DynamoDB's, and do nothing."""


class SimulatedBench:
    """The in-memory Store of the simulation."""

    limit = LIMIT

    def __init__(self) -> None:
        self._member = Member(ReplicaId("aaaaaaaa", "us-east-1", "orders"), lambda: NOW)
        self._refusal: ClientError | None = None
        self.store: Store = SimulatedStore(
            self._member,
            keeps_tombstones=True,
            trouble=self._trouble,
            fits=lambda item: item_size(item) <= LIMIT,
        )

    def _trouble(self, when: str) -> None:
        if self._refusal is not None and when == "before":
            raise self._refusal

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        return run(call)

    def lay(self, item: Item | None) -> None:
        self._member.write(KEY, item)

    def lying(self) -> Item | None:
        return self._member.items.get("1")

    @contextmanager
    def refusing(self, code: str) -> Iterator[None]:
        self._refusal = ClientError({"Error": {"Code": code, "Message": "no"}}, "Simulated")
        yield
        self._refusal = None


class DynamoBench:
    """The real Store over a DynamoDB. `call` is its transport, `client` an application's."""

    def __init__(
        self,
        client: Any,
        call: DynamoDBApi,
        *,
        tombstones: bool = True,
        key: Key = KEY,
        limit: int = LIMIT,
        make: type[DynamoStore] = DynamoStore,
    ) -> None:
        self.client = client
        self.limit = limit
        self.calls: list[tuple[str, dict[str, Any]]] = []
        """Name and parameters of every call of the store."""
        self.answers: dict[str, Any] = {}
        """What is answered to calls of that name instead; an error is raised."""
        self._call = call
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        for table in ("orders", "orders-tombstones"):
            make_table(client, table, key)
        tables = MemberTables("orders", "orders-tombstones" if tombstones else None, RETENTION)
        self.store: Store = make(self._noted, tables, now=lambda: NOW)

    async def _noted(self, operation: str, request: Mapping[str, Any]) -> Any:
        self.calls.append((operation, dict(request)))
        answer = self.answers.get(operation)
        if isinstance(answer, Exception):
            raise answer
        return await self._call(operation, request) if answer is None else answer

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(call)

    def close(self) -> None:
        """Close what calls were made over."""
        self._runner.close()

    def lay(self, item: Item | None) -> None:
        if item is None:
            self.client.delete_item(TableName="orders", Key=KEY)
        else:
            self.client.put_item(TableName="orders", Item=item)

    def lying(self) -> Item | None:
        return self.read("orders", KEY)

    @contextmanager
    def refusing(self, code: str) -> Iterator[None]:
        error = ClientError({"Error": {"Code": code, "Message": "no"}}, "Any")
        self.answers = dict.fromkeys(("GetItem", "PutItem", "DeleteItem", "BatchGetItem"), error)
        self.answers["BatchExecuteStatement"] = error
        yield
        self.answers = {}

    def read(self, table: str, key: Key) -> Item | None:
        answer = self.client.get_item(TableName=table, Key=key, ConsistentRead=True)
        found: Item | None = answer.get("Item")
        return found


def make_table(client: Any, name: str, key: Key, **more: Any) -> None:
    """Create a table with the key attributes of that key, partition key first."""
    client.create_table(
        TableName=name,
        KeySchema=[
            {"AttributeName": attribute, "KeyType": kind}
            for attribute, kind in zip(key, ("HASH", "RANGE"), strict=False)
        ],
        AttributeDefinitions=[
            {"AttributeName": attribute, "AttributeType": next(iter(value))}
            for attribute, value in key.items()
        ],
        BillingMode="PAY_PER_REQUEST",
        **more,
    )


@contextmanager
def hearing(client: Any, event: str, listener: Callable[..., Any]) -> Iterator[None]:
    """Let a listener see a client's calls, or those that it makes in threads."""
    events = (client.client if isinstance(client, BotocoreApi) else client).meta.events
    events.register(event, listener)
    try:
        yield
    finally:
        events.unregister(event, listener)


def answering(code: str) -> tuple[AWSResponse, dict[str, Any]]:
    """What a listener of ``before-call`` returns to have a call refused with that error."""
    answer = AWSResponse("", 400, HTTPHeaders(), None)
    return answer, {"Error": {"Code": code, "Message": "no"}}


@cache
def _client() -> Any:
    """Make the client of all benches: it takes longer to make than any test to run."""
    return make_client("dynamodb", "us-east-1")


@contextmanager
def simulated() -> Iterator[Bench]:
    yield SimulatedBench()


@contextmanager
def _reaching(url: str) -> Iterator[None]:
    """Let what is made reach that endpoint, and nothing else."""
    environment = {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
        "AWS_CONFIG_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1",
    }
    # Nothing tries again here, and a server on a busy machine may take long to answer.
    patient: Any = clients._CONFIG.merge(Config(read_timeout=60))
    with patch.dict(os.environ, environment), patch.object(clients, "_CONFIG", patient):
        yield


@cache
def _local_client(url: str) -> Any:
    with _reaching(url):
        return make_client("dynamodb", "us-east-1")


@cache
def _session(url: str) -> botocore.session.Session:
    """Make the session of all benches of a server: it takes longer to make than most tests."""
    with _reaching(url):
        session = clients._session(None)
        session.get_credentials()
        return session


MOTO_LIMIT = 405_000
"""What moto takes for DynamoDB's 400 KB (see docs/explanation/servers.md)."""


@contextmanager
def over_moto(*, tombstones: bool = True, key: Key = KEY) -> Iterator[DynamoBench]:
    with mock_aws(), comparisons_by_type(), ThreadPoolExecutor(4) as pool:
        client = _client()
        call = BotocoreApi(client, pool)
        bench = DynamoBench(client, call, tombstones=tombstones, key=key, limit=MOTO_LIMIT)
        with closing(bench):
            yield bench


@contextmanager
def over_server(
    find: Callable[[], str],
    *,
    tombstones: bool = True,
    key: Key = KEY,
    make: type[DynamoStore] = DynamoStore,
    in_threads: bool = False,
) -> Iterator[DynamoBench]:
    """A server, called as the handler does; or in threads, as where a proxy is between."""
    url = find()
    client, session = _local_client(url), _session(url)
    shared = patch.object(clients, "_session", lambda role: session)
    with ThreadPoolExecutor(4) as pool, _reaching(url), shared:
        call = BotocoreApi(client, pool) if in_threads else make_api("us-east-1", pool)
        bench = DynamoBench(client, call, tombstones=tombstones, key=key, make=make)
        try:
            with closing(bench):
                yield bench
        finally:
            for table in ("orders", "orders-tombstones"):
                with suppress(client.exceptions.ResourceNotFoundException):
                    client.delete_table(TableName=table)


over_dynoxide = partial(over_server, dynoxide)
over_ministack = partial(over_server, ministack)

DYNAMO_BENCHES: dict[str, Callable[..., AbstractContextManager[DynamoBench]]] = {
    "moto": over_moto,
    "dynoxide": over_dynoxide,
    "MiniStack": over_ministack,
}
BENCHES: dict[str, Callable[[], AbstractContextManager[Bench]]] = {
    "simulated": simulated,
    **DYNAMO_BENCHES,
    "dynoxide, batched": partial(over_dynoxide, make=BatchingStore),
    "MiniStack, batched": partial(over_ministack, make=BatchingStore),
    "dynoxide, in threads": partial(over_dynoxide, make=BatchingStore, in_threads=True),
}
_LONG = BENCHES.keys() - {"simulated", "moto", "dynoxide, batched"}
"""Left out of `make test`, where the batched Store, which ships, asks one real server."""


def bench_params(*, without: str | None = None) -> list[Any]:
    """Return the names of all benches but one, as pytest's parameters."""
    return [
        pytest.param(name, marks=[pytest.mark.long] if name in _LONG else [])
        for name in BENCHES
        if name != without
    ]
