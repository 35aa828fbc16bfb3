"""Numbers of the command line."""

from __future__ import annotations

import re
from math import isfinite
from typing import Any

import click

MOST_SECONDS = 10**9
"""Longest run of a command, in seconds: a thread can wait some 9 times as long."""


class Finite(click.FloatRange):
    """As `click.FloatRange`, which lets nan into every range, and inf into one without an end."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """See click."""
        number = super().convert(value, param, ctx)
        if not isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


def parse_percentage(text: str) -> float | None:
    """Return the share, from 0 to 1, that a text such as 5% says; None: it says none."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)%", text)
    share = float(found[1]) / 100 if found else -1.0
    return share if 0 <= share <= 1 else None
