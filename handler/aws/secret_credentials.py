"""Access keys for another partition, from a secret that is read again when they are rejected.

No role can be assumed across partitions, so a hop that crosses them signs with the keys of a user
in the target's partition. To rotate the keys, change the secret: nothing has to be deployed.
"""

import json
import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from handler.aws.signature_errors import is_clock_skew

_MAX_AGE_SECONDS = 15 * 60
"""Seconds after which keys are read again, even if they were not rejected."""

# Error codes of DynamoDB for keys that are invalid or lack a permission.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html
_REJECTED_CODES = frozenset(
    {
        "AccessDeniedException",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "UnrecognizedClientException",
    }
)

# Keys are put into header lines, where a line break would begin another header.
# https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKey.html
_KEY_ID = re.compile(r"[A-Za-z0-9_]{1,128}")
_PRINTABLE = re.compile(r"[!-~]+")


class SecretCredentialsError(Exception):
    """Missing or malformed keys. The message never has the keys themselves."""


class KeyPair(NamedTuple):
    """Access key ID, secret access key, and the session token of temporary keys."""

    access_key: str
    secret_key: str
    token: str | None

    @classmethod
    def checked(cls, access_key: Any, secret_key: Any, token: Any) -> "KeyPair":
        """Make a pair of keys that are safe in a header line.

        Raises:
            SecretCredentialsError: names the part that is not.
        """
        for name, value, pattern in (
            ("access key id", access_key, _KEY_ID),
            ("secret access key", secret_key, _PRINTABLE),
            ("session token", token or "-", _PRINTABLE),
        ):
            if not isinstance(value, str) or not pattern.fullmatch(value):
                raise SecretCredentialsError(
                    f"The {name} has characters that AWS does not use (a blank or a line break?), "
                    "so it cannot sign requests. Store it exactly as AWS shows it."
                )
        return cls(access_key, secret_key, token or None)


class SecretCredentials:
    """Keys of a secret, read at first, from time to time, and when they are rejected.

    botocore's refreshable credentials are replaced at a known time only, not when rejected. While
    the secret cannot be read, the keys that were read before stay in use.
    """

    def __init__(self, read: Callable[[], str], now: Callable[[], float] = time.monotonic) -> None:
        """Read the secret.

        Args:
            read: returns the secret's text.
            now: a monotonic clock, in seconds.

        Raises:
            SecretCredentialsError: the text has no valid keys.
            Exception: what ``read`` raises.
        """
        self._read = read
        self._now = now
        self._reading = threading.Lock()
        self._pair = _parse(read())
        self._read_at = now()

    def get_frozen_credentials(self) -> KeyPair:
        """Return the keys to sign a call with; named as in botocore's credentials."""
        due = self._now() - _MAX_AGE_SECONDS
        if self._read_at < due:
            self._read_again(due)
        return self._pair

    def refresh_after(self, error: ClientError) -> bool:
        """Read the keys again if an error rejects them; return whether it does."""
        if not are_credentials_rejected(error):
            return False
        self._read_again(self._now())
        return True

    def _read_again(self, since: float) -> None:
        """Read the keys, unless another thread has read them after ``since``."""
        with self._reading:
            if self._read_at > since:
                return
            try:
                self._pair = _parse(self._read())
            except Exception:
                logging.getLogger(__name__).warning(
                    "The secret cannot be read. The keys that were read before stay in use",
                    exc_info=True,
                )
            self._read_at = self._now()


def are_credentials_rejected(error: ClientError) -> bool:
    """Return whether an error rejects the keys of a call, and not the time of its signature."""
    details = error.response["Error"]
    code, message = details.get("Code") or "", str(details.get("Message") or "")
    return code in _REJECTED_CODES and not is_clock_skew(code, message)


def _parse(text: str) -> KeyPair:
    """Parse a secret's text: the JSON that ``aws iam create-access-key`` shows as AccessKey."""
    try:
        document = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        document = None
    names = ("AccessKeyId", "SecretAccessKey")
    if not isinstance(document, Mapping) or not all(document.get(name) for name in names):
        raise SecretCredentialsError(
            f"The secret is no JSON with {' and '.join(names)}, so the hop cannot sign for the "
            "target's partition. Store the output of `aws iam create-access-key --query AccessKey`."
        )
    access_key, secret_key = (document[name] for name in names)
    return KeyPair.checked(access_key, secret_key, document.get("SessionToken"))
