"""Pulumi's CLI for tests: the one that `automate.py` finds."""

from __future__ import annotations

import os

import pytest

from operate.deployment.pulumi_cli import Cli, find_cli
from operate.errors import PrerequisiteError

MUST_RUN = "RING_TESTS_NEED_ENGINE"
"""Environment variable that turns skipped tests into failures; CI sets it."""


def pulumi_command() -> Cli:
    """Return the CLI. Without one, skip the test, or fail it if `MUST_RUN` is set."""
    try:
        return find_cli()
    except PrerequisiteError as error:
        if os.environ.get(MUST_RUN):
            pytest.fail(f"{error} {MUST_RUN} is set, so this is no reason to skip.")
        pytest.skip(str(error))
