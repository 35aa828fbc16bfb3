"""A user's keys for the tables of another partition: kept in a secret, and read again when refused.

No role can be taken across partitions, so a hop that crosses them signs with the keys of a user
on the target's side. Whoever changes them changes the secret, and nothing has to be deployed.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import botocore.session
from botocore.credentials import (
    CredentialProvider,
    CredentialResolver,
    Credentials,
    ReadOnlyCredentials,
)

_FRESH_SECONDS = 15 * 60
"""After this, keys are read again though nobody refused them."""

# What DynamoDB answers to keys that are not, or no longer, those of a user who may do this.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html
REFUSALS = frozenset(
    {
        "AccessDeniedException",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "UnrecognizedClientException",
    }
)


class KeysError(Exception):
    """The secret does not hold a user's keys. Says what is missing, and never what is there."""


class Keys(Credentials):
    """The keys that a secret holds: read at once, now and then, and when they are refused.

    botocore's own credentials that expire know when they will, and cannot be told of a refusal.
    While the secret cannot be read, the keys that were read before serve on.
    """

    def __init__(self, read: Callable[[], str], now: Callable[[], float] = time.monotonic) -> None:
        """Take what returns the secret's text, and a clock that tells seconds.

        Raises:
            KeysError: the text is not what it should be; or whatever ``read`` raises.
        """
        self._read = read
        self._now = now
        self._reading = threading.Lock()
        access, secret, token = _parsed(read())
        super().__init__(access, secret, token, method="secret")
        self._frozen = ReadOnlyCredentials(access, secret, token)
        self._read_at = now()

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """The keys to sign a call with."""
        due = self._now() - _FRESH_SECONDS
        if self._read_at < due:
            self._read_again(due)
        return self._frozen

    def on_answer(self, response: Any, attempts: int, **_: Any) -> Any:
        """Hear an answer, as botocore's needs-retry; have a refused call made again, once."""
        if response is None or response[1].get("Error", {}).get("Code") not in REFUSALS:
            return None
        self.read_again()
        return 0 if attempts == 1 else None

    def read_again(self) -> None:
        """Read the keys that were refused again."""
        self._read_again(self._now())

    def _read_again(self, since: float) -> None:
        """Read the keys, unless another thread was done with that after ``since``."""
        with self._reading:
            if self._read_at > since:
                return
            try:
                self._frozen = ReadOnlyCredentials(*_parsed(self._read()))
            except Exception:
                logging.getLogger(__name__).warning("The keys cannot be read again", exc_info=True)
            self._read_at = self._now()


def session_with(keys: Credentials) -> botocore.session.Session:
    """Make a session whose clients sign with these keys."""
    session = botocore.session.Session()
    session.register_component("credential_provider", CredentialResolver([_Given(keys)]))
    return session


class _Given(CredentialProvider):
    """Hands over keys that are there already."""

    METHOD = "secret"

    def __init__(self, keys: Credentials) -> None:
        super().__init__()
        self._keys = keys

    def load(self) -> Credentials:
        return self._keys


def _parsed(text: str) -> tuple[str, str, str | None]:
    """The keys in a secret's text, which is what ``aws iam create-access-key`` calls AccessKey."""
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    names = ("AccessKeyId", "SecretAccessKey")
    if not isinstance(told, Mapping) or not all(told.get(name) for name in names):
        raise KeysError(
            f"the secret is no JSON with {' and '.join(names)}, so the hop cannot sign for the "
            "target's partition. Put in it what `aws iam create-access-key --query AccessKey` says."
        )
    access, secret = (str(told[name]) for name in names)
    return access, secret, told.get("SessionToken")
