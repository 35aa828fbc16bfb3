"""Restrict the page to those who have its key, on this machine.

Other users of the machine can reach the port, and any web page that the user visits can send
requests to it. The key is a part of the printed address, after `#`: browsers do not send that part.
"""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path

from starlette.requests import Request

from local.endpoint.listener import LOOPBACK
from operate.atomic_file import replace_text
from page import PageError

_HEADER = "X-Ring-Key"
_NAMES = frozenset({LOOPBACK, "localhost"})


def load_key(file: Path | None = None) -> str:
    """Return the user's key; it is made at the first use.

    It stays the same, so that an open page connects again after a restart. Raises `PageError`.
    """
    file = file or _state_folder() / "page-key"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # An empty key would be that of a request without any: such a file is replaced.
        return _read(file) or _made(file)
    except (OSError, UnicodeDecodeError) as error:
        raise PageError(
            f"The page's key cannot be kept in {file}: {error}. Delete that file, or set "
            "XDG_STATE_HOME to a folder that you may write to."
        ) from error


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        return ""


def _made(file: Path) -> str:
    """Make the key, in a file for this user alone."""
    key = secrets.token_urlsafe(24)
    file.unlink(missing_ok=True)  # an empty file may be one that others can read
    replace_text(file, key)  # at once: two pages may start at the same time
    return key


def _state_folder() -> Path:
    """Return the folder for state: https://specifications.freedesktop.org/basedir-spec/latest/."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "dynamodb-ring"


def refusal(request: Request, key: str) -> str | None:
    """Return why a request is rejected; None if it is accepted."""
    host = request.headers.get("host", "")
    if host.partition(":")[0].lower() not in _NAMES:
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
