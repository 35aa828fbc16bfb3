"""Why a local ring is not there."""

from __future__ import annotations


class StartError(Exception):
    """A local ring cannot be started. Says why, and what to do."""
