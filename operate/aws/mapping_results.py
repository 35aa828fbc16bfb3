"""Last results of event source mappings, as Lambda reports them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_GOOD = ("OK", "No records processed", "", None)
"""Results without a problem. A mapping that has not invoked its function yet has `No records
processed`, an empty result, or none.

All others begin with `PROBLEM: `, such as that Lambda cannot read the stream, or that the function
fails or is throttled. AWS lists no results; its examples have these:
https://docs.aws.amazon.com/cli/latest/reference/lambda/update-event-source-mapping.html
https://docs.aws.amazon.com/cli/latest/reference/lambda/create-event-source-mapping.html
"""


def problem_of(mapping: Mapping[str, Any]) -> str | None:
    """Return the last result of a mapping if it is a problem, else None."""
    result: str | None = mapping.get("LastProcessingResult")
    return None if result in _GOOD else result
