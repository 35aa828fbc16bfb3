"""A web page that shows a ring at work, served on this machine alone."""

LOOPBACK = "127.0.0.1"
PORT = 8008
"""Default port of the page."""


class PageError(Exception):
    """The page cannot be served. Says why, and what to do."""
