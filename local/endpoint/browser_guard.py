"""Refuse whatever a web browser sends to the local server.

Any page that a person visits can send requests to this machine: "simple" ones, as a form does,
without asking first. The page cannot read the answers, but the requests are carried out. A browser
says where a request comes from; SDKs, the AWS CLI and curl say nothing of the kind.
https://fetch.spec.whatwg.org/#origin-header and https://www.w3.org/TR/fetch-metadata/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

_NAMES = frozenset({"127.0.0.1", "localhost"})
_OWN_SITE = frozenset({"none", "same-origin"})
_MOTO = ("moto-api", "favicon.ico")
"""How the paths begin by which moto is controlled: there its state is reset and recorded."""


def refusal(environ: WSGIEnvironment) -> str | None:
    """Say why a request is refused; None if it is not."""
    host, port = environ.get("HTTP_HOST", ""), environ.get("SERVER_PORT", "")
    if not _names_this_server(host, port):
        return f"This server answers to localhost:{port} alone, not to {host!r}."
    if (origin := environ.get("HTTP_ORIGIN")) is not None:
        return f"This server takes no requests from web pages (Origin: {origin})."
    if (site := environ.get("HTTP_SEC_FETCH_SITE", "none")) not in _OWN_SITE:
        return f"This server takes no requests from web pages (Sec-Fetch-Site: {site})."
    if environ.get("PATH_INFO", "").lstrip("/").startswith(_MOTO):
        return (
            "moto's own pages are closed in a local ring. To empty it, end it and start it again."
        )
    return None


def _names_this_server(host: str, port: str) -> bool:
    """Tell whether a Host header names this server.

    A web page can give its own name this machine's address (DNS rebinding), and then counts as of
    the same origin; the Host header still carries the page's name. `.localhost` is never anyone's
    but this machine's (RFC 6761), and buckets are asked for by such names.
    """
    name, _, given = host.rpartition(":")
    return given == port and (name in _NAMES or name.endswith(".localhost"))
