"""A web page that shows a ring at work, served on this machine alone."""

PORT = 8008
"""Default port of the page."""


class PageError(Exception):
    """The page cannot be served. Says why, and what to do."""
