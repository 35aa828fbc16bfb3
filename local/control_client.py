"""Requests to the endpoint of a running local ring that change the ring, or read its state."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

SETTINGS_PATH = "/_dynamodb-ring/settings"
"""GET returns the settings with their revision, POST deploys other ones in their place."""
_TIMEOUT = 600.0
"""Seconds: a change of the settings waits for invocations that are running."""


class NoRingError(Exception):
    """No local ring answers at an endpoint. Says why, and what to do."""


class RefusedError(Exception):
    """The ring refused a request. Says why.

    `is_invalid`: the request was wrong and nothing was changed; otherwise it failed.
    """

    def __init__(self, text: str, *, is_invalid: bool) -> None:
        super().__init__(text)
        self.is_invalid = is_invalid


def request(
    endpoint: str, method: str, path: str, document: Any = None, *, timeout: float = _TIMEOUT
) -> Any:
    """Send a request, and return the JSON document of the response.

    Raises `NoRingError`, or `RefusedError` with the ring's reason.
    """
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    body = None if document is None else json.dumps(document).encode()
    asked = urllib.request.Request(endpoint.rstrip("/") + path, body, method=method)
    try:
        with direct.open(asked, timeout=timeout) as response:
            return json.loads(response.read())
    except urllib.error.HTTPError as error:
        raise _refusal(endpoint, error) from error
    except (OSError, ValueError) as error:
        raise no_ring(endpoint, error) from error


def _refusal(endpoint: str, error: urllib.error.HTTPError) -> Exception:
    try:
        text = json.loads(error.read())["error"]
        return RefusedError(text, is_invalid=error.code < 500)
    except (OSError, ValueError, LookupError, TypeError):
        return no_ring(endpoint, error)


def no_ring(endpoint: str, error: Exception) -> NoRingError:
    """Return the error for an endpoint that did not answer as a local ring."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    words = getattr(reason, "strerror", None) or reason  # not "[Errno 111]"
    return NoRingError(
        f"No local ring at {endpoint}: {words}. Start one (`automate.py local`) and use the URL "
        "that it prints."
    )
