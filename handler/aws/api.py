"""One call of DynamoDB's API: who makes it, and how it is waited for."""

import asyncio
import re
from collections.abc import Mapping
from concurrent.futures import Executor
from functools import partial
from typing import Any, Protocol


class DynamoDBApi(Protocol):
    """Makes one call, and raises what botocore's client raises."""

    async def __call__(self, operation: str, request: Mapping[str, Any]) -> Any:
        """Call an operation by its name in the API, such as PutItem; the answer."""


class BotocoreApi:
    """Calls by botocore's client, each in a thread of a pool, so that they can overlap."""

    def __init__(self, client: Any, pool: Executor) -> None:
        """Take a client, which is safe to share between threads, and where calls wait."""
        self.client = client
        self._pool = pool

    async def __call__(self, operation: str, request: Mapping[str, Any]) -> Any:
        """See Call."""
        method = getattr(self.client, method_of(operation))
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, partial(method, **request))


def method_of(operation: str) -> str:
    """Return the name of a client's method, as boto3's documentation has it."""
    return re.sub("(?<!^)(?=[A-Z])", "_", operation).lower()
