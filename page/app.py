"""The page's requests: its files, a stream of what happens, commands, and items."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from operate.errors import OperateError
from operate.untrusted_json import MalformedJsonError, read_json
from page import guard, items
from page.commands import BadCommandError
from page.happenings import Happening

if TYPE_CHECKING:
    from starlette.requests import Request

    from operate.rings import DeployedRing
    from page.commands import CommandRunner
    from page.feed import Feed

STATIC = Path(__file__).parent / "static"
_LOOK_SECONDS = 0.2
"""Interval at which a connection looks for something new."""
_QUIET_SECONDS = 10.0
"""Without anything new, a comment keeps the connection open."""
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def application(ring: DeployedRing, feed: Feed, runner: CommandRunner, key: str) -> Starlette:
    """Return the page of a ring. Who has the `key` sees its data and may change the ring."""
    page = _Page(ring, feed, runner)
    return Starlette(
        routes=[
            Route("/", page.index),
            Route("/api/events", page.events),
            Route("/api/command", page.command, methods=["POST"]),
            Route("/api/item", page.item, methods=["POST"]),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=partial(_guarded, key))],
    )


async def _guarded(
    key: str, request: Request, go_on: Callable[[Request], Awaitable[Response]]
) -> Response:
    if reason := guard.refusal(request, key):
        response: Response = JSONResponse({"error": reason}, 403)
    else:
        response = await go_on(request)
    response.headers.update(_HEADERS)
    return response


class _Page:
    def __init__(self, ring: DeployedRing, feed: Feed, runner: CommandRunner) -> None:
        self._ring = ring
        self._feed = feed
        self._runner = runner
        self._run = secrets.token_hex(4)
        """Begins the IDs of events: a page that was open connects again to another server."""

    async def index(self, _: Request) -> Response:
        """Return the page."""
        return FileResponse(STATIC / "index.html")

    async def events(self, request: Request) -> Response:
        """Stream what happens, as server-sent events.

        https://html.spec.whatwg.org/multipage/server-sent-events.html
        """
        given = request.headers.get("last-event-id") or request.query_params.get("seen", "")
        run, _, number = given.partition("-")
        seen = int(number) if run == self._run and number.isdecimal() else 0
        return StreamingResponse(self._stream(seen), media_type="text/event-stream")

    async def _stream(self, seen: int) -> AsyncIterator[str]:
        version, quiet = -1, 0.0
        while True:
            if version != self._feed.version:
                version, quiet = self._feed.version, 0.0
                message = self._feed.message(seen)
                seen = message["number"]
                yield f"id: {self._run}-{seen}\ndata: {json.dumps(message)}\n\n"
            elif quiet >= _QUIET_SECONDS:
                quiet = 0.0
                yield ":\n\n"
            await asyncio.sleep(_LOOK_SECONDS)
            quiet += _LOOK_SECONDS

    async def command(self, request: Request) -> Response:
        """Run a command: its `name`, its `arguments`, and whether it is only a `preview`.

        It may read an `input` from its standard input, and print for a number of `columns`.
        """
        body = await _body(request, {"name": str, "arguments": dict, "preview": bool})
        if isinstance(body, Response):
            return body
        arguments = {str(name): str(value) for name, value in body["arguments"].items()}
        try:
            ended = await self._runner.run(
                body["name"],
                arguments,
                preview=body["preview"],
                text=str(body.get("input") or ""),
                columns=body.get("columns"),
            )
        except BadCommandError as error:
            return JSONResponse({"error": str(error)}, 400)
        if "--json" not in ended.command and not body["preview"]:
            kind = "info" if ended.exit == 0 else "warning"
            end = "" if ended.exit == 0 else f" (exit code {ended.exit})"
            self._feed.add(Happening(kind, f"{ended.command}{end}"))
        return JSONResponse(asdict(ended))

    async def item(self, request: Request) -> Response:
        """Write an item: `member`, `action` (put, update or delete) and the `item` as JSON text."""
        body = await _body(request, {"member": str, "action": str, "item": str})
        if isinstance(body, Response):
            return body
        try:
            done = await run_in_threadpool(
                items.write, self._ring, body["member"], body["action"], body["item"]
            )
        except (items.BadWriteError, OperateError) as error:
            return JSONResponse({"error": str(error)}, 400)
        self._feed.add(Happening("info", done))
        return JSONResponse({"done": done})


async def _body(request: Request, fields: dict[str, type]) -> dict[str, Any] | Response:
    """Return the JSON body with these fields, or the response that says what is wrong."""
    needed = f"needs: {', '.join(fields)}."
    try:
        body = read_json(await request.body())
    except MalformedJsonError as error:
        reason = f"The request cannot be read: {error}. It {needed}"
        return JSONResponse({"error": reason}, 400)
    if not isinstance(body, dict) or not all(
        isinstance(body.get(name), kind) for name, kind in fields.items()
    ):
        return JSONResponse({"error": f"The request {needed}"}, 400)
    return body
