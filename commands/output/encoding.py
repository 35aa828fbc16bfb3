"""Characters that the encoding of a stream does not have, as that of an old terminal."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import TextIO

_ESCAPE = "escape as JSON"


def _escape(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


codecs.register_error(_ESCAPE, _escape)


def escape_unencodable(stream: TextIO | None) -> None:
    r"""Have a stream print such characters as JSON escapes, \u2260: a JSON document stays one."""
    if isinstance(stream, TextIOWrapper):  # None, if it is closed
        stream.reconfigure(errors=_ESCAPE)


@contextmanager
def refuse_unencodable(stream: TextIO) -> Iterator[None]:
    """Have a stream raise `UnicodeEncodeError` for such characters, inside."""
    if not isinstance(stream, TextIOWrapper):
        yield
        return
    before = stream.errors or "strict"
    stream.reconfigure(errors="strict")
    try:
        yield
    finally:
        stream.reconfigure(errors=before)
