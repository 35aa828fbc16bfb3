"""Reject requests that a web browser sends to the local server.

Any page that the user visits can send "simple" requests, as of a form, to this machine without a
preflight. The page cannot read the responses, but the requests would be executed. A browser sends
headers with a request's origin; SDKs, the AWS CLI and curl do not.
https://fetch.spec.whatwg.org/#origin-header and https://www.w3.org/TR/fetch-metadata/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

_NAMES = frozenset({"127.0.0.1", "localhost"})
_OWN_SITE = frozenset({"none", "same-origin"})
_MOTO = ("moto-api", "favicon.ico")
"""Prefixes of moto's control paths, which can reset and record its state."""


def refusal(environ: WSGIEnvironment) -> str | None:
    """Return why a request is rejected; None if it is accepted."""
    host, port = environ.get("HTTP_HOST", ""), environ.get("SERVER_PORT", "")
    if not _names_this_server(host, port):
        return f"Host {host!r} is not this server. Send requests to localhost:{port}."
    if (origin := environ.get("HTTP_ORIGIN")) is not None:
        return f"This server accepts no requests from web pages (Origin: {origin})."
    if (site := environ.get("HTTP_SEC_FETCH_SITE", "none")) not in _OWN_SITE:
        return f"This server accepts no requests from web pages (Sec-Fetch-Site: {site})."
    if environ.get("PATH_INFO", "").lstrip("/").startswith(_MOTO):
        return "moto's control API is disabled in a local ring. To empty the ring, restart it."
    return None


def _names_this_server(host: str, port: str) -> bool:
    """Return whether a Host header names this server.

    A web page can resolve its own host name to this machine (DNS rebinding), and then has the same
    origin; the Host header still has the page's name. `.localhost` always is this machine
    (RFC 6761), and bucket names are used as its subdomains.
    """
    name, _, host_port = host.rpartition(":")
    return host_port == port and (name in _NAMES or name.endswith(".localhost"))
