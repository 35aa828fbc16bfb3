"""Lines in a hop's log that no handler writes do not keep the page from showing the ring."""

from __future__ import annotations

import json
from typing import Any

import pytest

from page.reading import HopReading, LogLine, MemberReading, Reading
from page.view import View

FOREIGN = [
    '{"event": "batch", "lag": "5", "lap": {"a": 1}}',
    '{"event": "batch", "lag": ["x", null, true]}',
    '{"event": "batch", "lag": [NaN, 1e999]}',
    '{"event": "batch", "records": "many"}',
    '{"event": "batch", "applied": ' + "9" * 5000 + "}",
    '{"event": ["batch"]}',
    '{"event": {"a": 1}}',
    '{"event": "failure", "keys": "x", "kind": 1, "code": [], "error": {}}',
    '{"event": "quarantined"}',
    '{"event": "half a character: \\ud800"}',
    "[" * 100_000,
    '{"event":' * 100_000,
    "null",
    "7",
]


def document_after(line: str) -> dict[str, Any]:
    view = View("ring", is_local=False)
    hop = HopReading("a", "b", "running")
    member = MemberReading("a", "us-east-1", "orders", 1)
    good = LogLine("a", 9.0, '{"event": "batch", "records": 3, "lag": [0.5], "conflicts": 1}')
    lines = (LogLine("a", 9.0, line), good)
    happenings = view.add(Reading(10.0, (member,), (hop,), lines))
    json.dumps([vars(one) for one in happenings], allow_nan=False, ensure_ascii=False).encode()
    json.dumps(view.document, allow_nan=False)  # no browser parses NaN
    return view.document


@pytest.mark.parametrize("line", FOREIGN, ids=lambda line: line[:40])
def test_a_line_that_no_handler_writes_changes_no_figure(line: str) -> None:
    hop = document_after(line)["hops"][0]
    assert hop["conflicts"] == 1
    assert hop["lag"]["p50"] == 0.5
