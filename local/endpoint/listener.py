"""The port of a local ring's endpoint."""

from __future__ import annotations

import os
import socket

from local.cloud.errors import StartError

LOOPBACK = "127.0.0.1"

Port = int | socket.socket
"""A port, 0 for a free one; or a socket that listens already."""


class ServerError(StartError):
    """The local server cannot start. Says why, and what to do."""


def listen(port: Port) -> socket.socket:
    """Return a socket that listens on a port. Raises `ServerError`."""
    if isinstance(port, socket.socket):
        return port
    # werkzeug exits the process if a port is in use; with a socket of our own this is an error.
    try:
        return socket.create_server((LOOPBACK, port))
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise ServerError(
            f"Cannot listen on {LOOPBACK}:{port}: {why}. Another local ring may run there. Choose "
            "another port (--port)."
        ) from error
