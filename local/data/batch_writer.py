"""Write batches of items by the hops' own HTTP client.

botocore checks and converts each attribute by its API model, and signs by rules for all services.
For a batch of small items that takes longer than the table takes to write them.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from botocore.credentials import Credentials

from handler.aws.api import BotocoreApi
from handler.aws.direct_client import make_http_api
from handler.errors import is_transient
from handler.retry import RetryBudget

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

_RETRY_SECONDS = 30.0
"""Time after which a request that fails with transient errors is given up, as by botocore."""


class BatchWriter:
    """A client for loading a table at a local endpoint, for one thread, while the context lasts.

    It has the calls of `client` that `local.data.load` makes. `credentials` are environment
    variables as AWS's SDKs read them.
    """

    def __init__(self, client: DynamoDBClient, credentials: Mapping[str, str]) -> None:
        self.describe_table = client.describe_table
        self._client = client
        self._credentials = Credentials(
            credentials["AWS_ACCESS_KEY_ID"],
            credentials["AWS_SECRET_ACCESS_KEY"],
            credentials.get("AWS_SESSION_TOKEN"),
        )
        self._end = ExitStack()

    def __enter__(self) -> Self:
        threads = self._end.enter_context(ThreadPoolExecutor(1))
        self._runner = self._end.enter_context(asyncio.Runner())
        region = self._client.meta.region_name
        own = make_http_api(self._client, region, self._credentials, True, threads)
        self._api = own or BotocoreApi(self._client, threads)
        return self

    def __exit__(self, *_: object) -> None:
        self._end.close()

    def batch_write_item(self, **request: Any) -> Any:
        """Write a batch; return boto3's response. Raises boto3's errors."""
        end = time.monotonic() + _RETRY_SECONDS
        budget = RetryBudget(
            lambda: end - time.monotonic(), is_transient, reserve_seconds=0, max_concurrency=1
        )
        return self._runner.run(budget.retry(partial(self._api, "BatchWriteItem", request)))
