"""The URL of a DynamoDB server that holds a local ring's tables."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_AWS_HOST = re.compile(
    r"(^|\.)(amazonaws\.(com|com\.cn|eu)|api\.aws|on\.aws|api\.amazonwebservices\.com\.cn)\.?$"
)


class WrongUrlError(Exception):
    """The URL is invalid or not allowed."""


def normalized_url(url: str) -> str:
    """Return the normalized URL. Raises `WrongUrlError`."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    host = parts.hostname or ""
    plain = not (parts.path.strip("/") or parts.query or parts.fragment or parts.username)
    if parts.scheme not in {"http", "https"} or not host or not plain:
        raise WrongUrlError(
            f"{url!r} is not a valid URL of a DynamoDB server. Use the form http://127.0.0.1:8000."
        )
    if _AWS_HOST.search(host):
        raise WrongUrlError(
            f"{host} belongs to AWS, and a local ring deletes its tables at the end. Use a server "
            "on this machine (docs/explanation/servers.md)."
        )
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port else "")
