"""DynamoDB calls by botocore's client, signed with the keys in a secret."""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Any

from botocore.exceptions import ClientError

from handler.aws.api import method_of
from handler.aws.refresh_time import ensure_quick
from handler.aws.secret_credentials import KeyPair, SecretCredentials


class SecretBotocoreApi:
    """DynamoDBApi that makes a new client of botocore when the secret has new keys."""

    def __init__(
        self, credentials: SecretCredentials, make: Callable[[KeyPair], Any], pool: Executor
    ) -> None:
        """Make the API.

        Args:
            credentials: the secret's keys.
            make: makes a client that signs with a pair of keys.
            pool: threads that make the calls.
        """
        self._credentials = credentials
        self._make = make
        self._pool = pool
        self._making = threading.Lock()
        self._made: tuple[KeyPair, Any] | None = None

    async def __call__(self, operation: str, request: Mapping[str, Any]) -> Any:
        """See DynamoDBApi."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._call, operation, request)

    def _call(self, operation: str, request: Mapping[str, Any]) -> Any:
        began = time.monotonic()
        try:
            return getattr(self._client(began), method_of(operation))(**request)
        except ClientError as error:
            if not self._credentials.refresh_after(error):
                raise
        return getattr(self._client(began), method_of(operation))(**request)

    def _client(self, began: float) -> Any:
        """Return the client with the current keys, if little time has passed since."""
        pair = self._credentials.get_frozen_credentials()
        with self._making:
            if self._made is None or self._made[0] != pair:
                self._made = pair, self._make(pair)
            client = self._made[1]
        ensure_quick(time.monotonic() - began)
        return client
