"""Exit codes of the command line."""

from __future__ import annotations

OK, FAILED, USAGE, PREREQUISITE = 0, 1, 2, 3
