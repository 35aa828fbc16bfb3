"""A user's keys for the tables of another partition: kept in a secret, and read again when refused.

No role can be taken across partitions, so a hop that crosses them signs with the keys of a user
on the target's side. Whoever changes them changes the secret, and nothing has to be deployed.
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

_FRESH_SECONDS = 15 * 60
"""After this, keys are read again though nobody refused them."""

# What DynamoDB answers to keys that are not, or no longer, those of a user who may do this.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html
_REFUSALS = frozenset(
    {
        "AccessDeniedException",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "UnrecognizedClientException",
    }
)

# Keys become header lines, in which a line break would begin another one.
# https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKey.html
_KEY_ID = re.compile(r"[A-Za-z0-9_]{1,128}")
_PRINTABLE = re.compile(r"[!-~]+")


class SecretCredentialsError(Exception):
    """Keys are not there, or not such as can sign. Says what is wrong, never what is there."""


class KeyPair(NamedTuple):
    """What signs a request: an access key, its secret, and the token of keys that are temporary."""

    access_key: str
    secret_key: str
    token: str | None

    @classmethod
    def checked(cls, access_key: Any, secret_key: Any, token: Any) -> "KeyPair":
        """Make a pair of what may stand in a header line.

        Raises:
            SecretCredentialsError: names the part that may not.
        """
        for name, value, pattern in (
            ("access key id", access_key, _KEY_ID),
            ("secret access key", secret_key, _PRINTABLE),
            ("session token", token or "-", _PRINTABLE),
        ):
            if not isinstance(value, str) or not pattern.fullmatch(value):
                raise SecretCredentialsError(
                    f"the {name} is not of the characters that AWS makes it of (a blank or a line "
                    "break in it?), so nothing is signed with it. Write it as AWS gave it."
                )
        return cls(access_key, secret_key, token or None)


class SecretCredentials:
    """The keys that a secret holds: read at once, now and then, and when they are refused.

    botocore's own credentials that expire know when they will, and cannot be told of a refusal.
    While the secret cannot be read, the keys that were read before serve on.
    """

    def __init__(self, read: Callable[[], str], now: Callable[[], float] = time.monotonic) -> None:
        """Take what returns the secret's text, and a clock that tells seconds.

        Raises:
            SecretCredentialsError: the text is not what it should be; or whatever ``read`` raises.
        """
        self._read = read
        self._now = now
        self._reading = threading.Lock()
        self._pair = _parsed(read())
        self._read_at = now()

    def get_frozen_credentials(self) -> KeyPair:
        """Return the keys to sign a call with; named as in botocore's credentials."""
        due = self._now() - _FRESH_SECONDS
        if self._read_at < due:
            self._read_again(due)
        return self._pair

    def replace_after(self, error: ClientError) -> bool:
        """Read the keys again if an answer refuses them; tell whether it does."""
        if not is_credentials_refused(error):
            return False
        self._read_again(self._now())
        return True

    def _read_again(self, since: float) -> None:
        """Read the keys, unless another thread was done with that after ``since``."""
        with self._reading:
            if self._read_at > since:
                return
            try:
                self._pair = _parsed(self._read())
            except Exception:
                logging.getLogger(__name__).warning("The keys cannot be read again", exc_info=True)
            self._read_at = self._now()


def is_credentials_refused(error: ClientError) -> bool:
    """Tell whether an answer refuses the keys of a call, and not the time of its signature."""
    answer = error.response["Error"]
    code, message = answer.get("Code") or "", answer.get("Message") or ""
    return code in _REFUSALS and not is_clock_skew(code, message)


def _parsed(text: str) -> KeyPair:
    """The keys in a secret's text, which is what ``aws iam create-access-key`` calls AccessKey."""
    try:
        told = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        told = None
    names = ("AccessKeyId", "SecretAccessKey")
    if not isinstance(told, Mapping) or not all(told.get(name) for name in names):
        raise SecretCredentialsError(
            f"the secret is no JSON with {' and '.join(names)}, so the hop cannot sign for the "
            "target's partition. Put in it what `aws iam create-access-key --query AccessKey` says."
        )
    access, secret = (told[name] for name in names)
    return KeyPair.checked(access, secret, told.get("SessionToken"))
