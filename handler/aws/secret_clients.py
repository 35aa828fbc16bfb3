"""Calls by botocore's clients with the keys that a secret holds."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Any

from botocore.exceptions import ClientError

from handler.aws.api import method_of
from handler.aws.secret_credentials import KeyPair, SecretCredentials


class SecretBotocoreApi:
    """Calls by botocore's clients with a secret's keys: other keys have another client."""

    def __init__(
        self, keys: SecretCredentials, make: Callable[[KeyPair], Any], pool: Executor
    ) -> None:
        """Take the keys, what makes a client with some, and where calls wait."""
        self._keys = keys
        self._make = make
        self._pool = pool
        self._making = threading.Lock()
        self._made: tuple[KeyPair, Any] | None = None

    async def __call__(self, operation: str, request: Mapping[str, Any]) -> Any:
        """See Call."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._call, operation, request)

    def _call(self, operation: str, request: Mapping[str, Any]) -> Any:
        try:
            return getattr(self._client(), method_of(operation))(**request)
        except ClientError as error:
            if not self._keys.replace_after(error):
                raise
        return getattr(self._client(), method_of(operation))(**request)

    def _client(self) -> Any:
        pair = self._keys.get_frozen_credentials()
        with self._making:
            if self._made is None or self._made[0] != pair:
                self._made = pair, self._make(pair)
            return self._made[1]
