"""Write log lines as JSON to standard output, which Lambda sends to the log group."""

import json
import sys
from collections.abc import Mapping
from typing import Any

from handler.model.attribute_values import encode_binary

_MAX_ERROR_LENGTH = 2_000
"""Characters of an error in a log line."""


def log(line: Mapping[str, Any]) -> None:
    """Write one line; what JSON does not know is written as its text, bytes as base64 text."""
    sys.stdout.write(json.dumps(line, default=_text) + "\n")
    sys.stdout.flush()


def _text(value: object) -> str:
    return encode_binary(value) if isinstance(value, bytes) else repr(value)


def format_error(error: Exception) -> str:
    """Format an error for a log line: its type and message, of which a long one is cut.

    botocore's message may be a proxy's whole page, and Lambda splits a line of more than 256 KB.
    """
    text = f"{type(error).__name__}: {error}"
    if len(text) <= _MAX_ERROR_LENGTH:
        return text
    return f"{text[:_MAX_ERROR_LENGTH]}... (cut: {len(text):,} characters)"
