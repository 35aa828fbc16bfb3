"""Apply a transaction once, however often it is sent with the same ClientRequestToken.

moto ignores the token, so that a transaction whose response was lost would be applied again by an
SDK's retry. A token is valid for ten minutes after its request was completed:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
"""

from __future__ import annotations

import functools
import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from moto.core.responses import ActionResult
from moto.dynamodb.exceptions import DynamodbException
from moto.dynamodb.responses import DynamoHandler

SECONDS = 600.0
"""Time that a token is remembered."""

_Token = tuple[str, str, str]
"""Account, region, and the request's token."""


class IdempotentParameterMismatchError(DynamodbException):
    """A token was sent with another transaction before."""

    def __init__(self) -> None:
        super().__init__(
            "com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException",
            "The request uses the same client token as a previous, but non-identical request.",
        )


@dataclass
class _Completed:
    """Transactions of the last ten minutes, oldest first: when each was completed, its digest."""

    transactions: dict[_Token, tuple[float, bytes]] = field(default_factory=dict)

    def find(self, token: _Token) -> bytes | None:
        """Return the digest of the transaction with a token, None if there is none."""
        while self.transactions:
            oldest = next(iter(self.transactions))
            if self.transactions[oldest][0] + SECONDS > time.monotonic():
                break
            del self.transactions[oldest]
        return self.transactions.get(token, (0.0, None))[1]

    def add(self, token: _Token, digest: bytes) -> None:
        """Remember a transaction."""
        self.transactions[token] = time.monotonic(), digest


def _digest(items: Any) -> bytes:
    text = json.dumps(items, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).digest()


@contextmanager
def transactions_applied_once() -> Iterator[None]:
    """Apply no transaction a second time for the same token, while the context lasts."""
    write = DynamoHandler.transact_write_items  # with other patches
    completed = _Completed()

    @functools.wraps(write)
    def applied_once(handler: DynamoHandler) -> Any:
        word = handler.body.get("ClientRequestToken")
        if not word:
            return write(handler)
        token = handler.current_account, handler.region, word
        digest, earlier = _digest(handler.body["TransactItems"]), completed.find(token)
        if earlier is None:
            result = write(handler)
            completed.add(token, digest)
            return result
        if earlier != digest:
            raise IdempotentParameterMismatchError
        return ActionResult({})

    with patch.object(DynamoHandler, "transact_write_items", applied_once):
        yield
