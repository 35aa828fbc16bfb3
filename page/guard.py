"""Restrict the page to those who have its key, on this machine.

Other users of the machine can reach the port, and any web page that the user visits can send
requests to it. The key is a part of the printed address, after `#`: browsers do not send that part.
"""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from starlette.requests import Request

_HEADER = "X-Ring-Key"
_NAMES = frozenset({"127.0.0.1", "localhost"})


def load_key(file: Path | None = None) -> str:
    """Return the user's key; it is made at the first use.

    It stays the same, so that an open page connects again after a restart.
    """
    file = file or _state_folder() / "page-key"
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        key = secrets.token_urlsafe(24)
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(key)
    return key


def _state_folder() -> Path:
    """Return the folder for state: https://specifications.freedesktop.org/basedir-spec/latest/."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "dynamodb-ring"


def refusal(request: Request, key: str) -> str | None:
    """Return why a request is rejected; None if it is accepted."""
    host = request.headers.get("host", "")
    if urlsplit(f"//{host}").hostname not in _NAMES:
        return f"Host {host!r} is not this server."
    if not request.url.path.startswith("/api/"):
        return None
    origin = request.headers.get("origin")
    if origin is not None and origin != f"http://{host}":
        return f"The page takes no requests from {origin}."
    if request.method == "POST" and origin is None:
        return "A change needs the header Origin, which a browser sends."
    given = request.headers.get(_HEADER) or request.query_params.get("key", "")
    if not hmac.compare_digest(given.encode(), key.encode()):
        return "The key is missing or wrong. Open the address that the command printed."
    return None
