"""Pulumi's command line for tests: the one that the operations find."""

from __future__ import annotations

import os

import pytest

from operate.deployment.pulumi_cli import Cli, find_cli
from operate.errors import PrerequisiteError

MUST_RUN = "RING_TESTS_NEED_ENGINE"
"""The environment variable that makes a failure of what would be skipped; CI sets it."""


def pulumi_command() -> Cli:
    """Return the command line.

    Skips the test where there is none; fails it where ``MUST_RUN`` says so.
    """
    try:
        return find_cli()
    except PrerequisiteError as error:
        if os.environ.get(MUST_RUN):
            pytest.fail(f"{error} {MUST_RUN} is set, so this is no reason to skip.")
        pytest.skip(str(error))
