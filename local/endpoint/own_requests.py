"""Requests that the local server answers without moto."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from local.endpoint.control_api import Control
from local.endpoint.lambda_invoke import Invocations

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

_JSON = "application/json"

Action = Callable[[str, str, bytes], tuple[int, Any]]
"""Called with the method, the rest of the path and the body; returns status and document."""


@dataclass(frozen=True)
class Answer:
    """An HTTP response, and the request's document if it was parsed for it."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes
    request: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Own:
    """What the server handles without moto: JSON documents by path, and calls for a running ring.

    `pages` are called with the query string; `actions` are by the first part of their paths.
    """

    pages: dict[str, Callable[[str], bytes]] = field(default_factory=dict)
    actions: dict[str, Action] = field(default_factory=dict)
    invocations: Invocations = field(default_factory=Invocations)
    control: Control = field(default_factory=Control)

    def answer(self, environ: WSGIEnvironment, body: bytes) -> Answer | None:
        """Return the response for a page or an action, None for another path."""
        path = environ.get("PATH_INFO", "")
        for start, action in self.actions.items():
            if path == start or path.startswith(f"{start}/"):
                method, rest = environ.get("REQUEST_METHOD", ""), path.removeprefix(start)
                status, document = action(method, rest, body)
                return json_answer(status, {"Content-Type": _JSON}, document)
        if page := self.pages.get(path):
            return Answer(
                "200 OK", [("Content-Type", _JSON)], page(environ.get("QUERY_STRING", ""))
            )
        return None


def json_answer(code: int, headers: Mapping[str, str], document: Any) -> Answer:
    """Return a response with a JSON document."""
    status = HTTPStatus(code)
    body = json.dumps(document).encode()
    return Answer(f"{status.value} {status.phrase}", [*headers.items()], body)
