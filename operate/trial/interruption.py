"""Tell an interruption of a trial from a failure of its ring. Pure."""

from __future__ import annotations

import re

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError

from operate.errors import OperateError, OperationFailedError

_EXPIRED = re.compile(
    r"ExpiredToken|RequestExpired|[Tt]oken included in the request is expired|"
    r"refresh cached SSO credentials"
)
"""What services and pulumi-aws say of a session that has ended."""
_OFFLINE = re.compile(r"no such host|network is unreachable|connection refused|no route to host")
"""What Go says through the engine: https://pkg.go.dev/net, and the system's own texts."""


def is_interruption(error: OperateError) -> bool:
    """Return whether an error is one of credentials that expired, or of the connection to AWS.

    The same call goes on after it. An error of the engine is known by its text alone.
    """
    cause: BaseException | None = error
    while cause is not None:
        match cause:
            case ClientError():
                return bool(_EXPIRED.search(cause.response.get("Error", {}).get("Code", "")))
            case HTTPClientError() | NoConnectionError():
                return True
            case BotoCoreError():
                return False
            case OperationFailedError(notes=notes):
                texts = [str(cause), *(note.text for note in notes)]
                if any(pattern.search(text) for pattern in (_EXPIRED, _OFFLINE) for text in texts):
                    return True
        cause = cause.__cause__
    return False
