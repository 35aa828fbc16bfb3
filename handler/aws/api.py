"""Interface for calls to DynamoDB's API, and its implementation by botocore's client."""

import asyncio
import re
from collections.abc import Mapping
from concurrent.futures import Executor
from functools import partial
from typing import Any, Protocol


class DynamoDBApi(Protocol):
    """Callable that makes one API call, and raises what botocore's client raises."""

    async def __call__(self, operation: str, request: Mapping[str, Any]) -> Any:
        """Call an operation by its name in the API, such as PutItem; return the response."""


class BotocoreApi:
    """DynamoDBApi that calls botocore's client in threads, so that calls can overlap."""

    def __init__(self, client: Any, pool: Executor) -> None:
        """Take a client, which threads can share, and the pool of threads that make the calls."""
        self.client = client
        self._pool = pool

    async def __call__(self, operation: str, request: Mapping[str, Any]) -> Any:
        """See DynamoDBApi."""
        method = getattr(self.client, method_of(operation))
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, partial(method, **request))


def method_of(operation: str) -> str:
    """Return the client's method of an operation: ``put_item`` for ``PutItem``."""
    return re.sub("(?<!^)(?=[A-Z])", "_", operation).lower()
