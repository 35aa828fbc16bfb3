"""One DynamoDB Local for all tests of a session, where there is one."""

import atexit
import os
from functools import cache

import pytest

from local.dynamodb_local import DynamoDBLocal, DynamoDBLocalError

MUST_RUN = "RING_TESTS_NEED_DYNAMODB_LOCAL"
"""The environment variable that makes a failure of what would be skipped; CI sets it."""


def dynamodb_local() -> str:
    """Return the URL of a DynamoDB Local that runs until the session ends.

    Skips the test where there can be none; fails it where ``MUST_RUN`` says so.
    """
    server = _start()
    if isinstance(server, DynamoDBLocal):
        return server.url
    if os.environ.get(MUST_RUN):
        pytest.fail(f"{server} {MUST_RUN} is set, so this is no reason to skip.")
    pytest.skip(str(server))


@cache
def _start() -> DynamoDBLocal | DynamoDBLocalError:
    try:
        server = DynamoDBLocal().__enter__()
    except DynamoDBLocalError as error:
        return error
    atexit.register(server.close)
    return server
