"""Exit codes of the command line."""

from __future__ import annotations

FINE, FAILED, WRONG, MISSING = 0, 1, 2, 3
