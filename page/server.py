"""Serve the page on the loopback address, in a background thread."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

import uvicorn

from local.endpoint.listener import LOOPBACK
from page import PORT, PageError
from page.app import application
from page.commands import CommandRunner
from page.deployed_source import DeployedSource
from page.feed import Feed
from page.guard import load_key
from page.local_source import LocalSource
from page.view import View

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from operate.rings import DeployedRing
    from page.reading import Source


class PageServer:
    """The page of a ring, at `address` while the context lasts.

    `options` select the ring on the command line. `port` 0 selects a free port, and None the usual
    one, or a free one if that is taken. Entering raises `PageError`.
    """

    def __init__(
        self,
        ring: DeployedRing,
        options: Sequence[str],
        *,
        is_local: bool,
        port: int | None = None,
        key_file: Path | None = None,
    ) -> None:
        self._ring = ring
        self._runner = CommandRunner(options)
        self._is_local = is_local
        self._ports = (PORT, 0) if port is None else (port,)
        self._port = 0
        self._key_file = key_file
        self._key = ""
        self._end = ExitStack()

    @property
    def address(self) -> str:
        """The URL of the page, with its key."""
        return f"http://{LOOPBACK}:{self._port}/#{self._key}"

    def __enter__(self) -> Self:
        self._key = load_key(self._key_file)
        with ExitStack() as end:
            listener = end.enter_context(self._listen())
            source: Source = (
                LocalSource(self._ring) if self._is_local else DeployedSource(self._ring)
            )
            view = View(source.label, is_local=source.is_local)
            feed = end.enter_context(Feed(source, view))
            app = application(self._ring, feed, self._runner, self._key)
            config = uvicorn.Config(
                app, log_level="critical", access_log=False, timeout_graceful_shutdown=1
            )
            server = uvicorn.Server(config)
            thread = threading.Thread(
                target=server.run, kwargs={"sockets": [listener]}, name="page server", daemon=True
            )
            thread.start()
            end.callback(thread.join)
            end.callback(setattr, server, "should_exit", True)
            self._end = end.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.close()

    def _listen(self) -> socket.socket:
        for port in self._ports:
            try:
                listener = socket.create_server((LOOPBACK, port))
            except OSError as error:
                failed = port, error.errno or 0
            else:
                self._port = listener.getsockname()[1]
                return listener
        raise PageError(
            f"The page cannot listen on {LOOPBACK}:{failed[0]}: {os.strerror(failed[1])}. Choose "
            "another port (`local --page`, `watch --port`; 0: any free one)."
        )
