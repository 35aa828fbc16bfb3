"""The log line of a conflict: it fits into an event of CloudWatch Logs, whatever the items have."""

import json
from typing import Any

from handler.conflict_line import MAX_ITEM_BYTES, conflict_line
from handler.model.attribute_values import encode_binary
from handler.model.image import DELETED, VERSION, digest
from handler.protocol.hop import Conflict
from operate.conflicts.log_line import ConflictLine, parse_line
from tests.support.stream_records import version

MAX_EVENT = 256 * 1024 - 26
KEY: Any = {"k": {"S": "\u0001" * 2048}, "s": {"B": b"\xff" * 1024}}


def text(winner: Any, loser: Any) -> str:
    conflict = Conflict(KEY, version(600), version(500), winner, loser)
    line = {"event": "conflict", "hop": "a -> b", **conflict_line(conflict, logs_items=True)}
    return json.dumps(line, default=encode_binary)


def parsed(winner: Any, loser: Any) -> ConflictLine:
    line = parse_line(text(winner, loser), 1.0)
    assert line is not None
    return line


def test_two_items_of_400_kb_fit_into_a_line_with_size_and_digest_of_what_is_cut() -> None:
    large: Any = {**KEY, "v": {"S": "é" * 100_000}, "w": {"B": b"\x00" * 200_000}, "n": {"N": "1"}}
    assert len(text(large, large)) < MAX_EVENT
    lost = parsed(large, large).lost
    assert lost.cut is not None
    assert lost.item is not None
    assert lost.cut.size > 800_000
    assert lost.cut.digest == digest(large)
    assert lost.item["n"] == {"N": "1"}
    assert set(lost.cut.left_out) == {"v", "w"}
    assert not lost.is_whole


def test_items_with_very_many_or_very_long_names_fit_as_well() -> None:
    many: Any = {**KEY, **{f"n{number}": {"S": "x" * 4} for number in range(20_000)}}
    long: Any = {**KEY, **{f"{number}{'é' * 30_000}": {"N": "1"} for number in range(6)}}
    assert len(text(many, long)) < MAX_EVENT
    both = parsed(many, long)
    for side in (both.won, both.lost):
        assert side.cut is not None
        assert side.cut.more > 0


def test_an_item_that_fits_is_in_the_line_as_it_is() -> None:
    fits: Any = {**KEY, "v": {"S": "x" * (MAX_ITEM_BYTES - 20_000)}, "b": {"BS": [b"\x00", b"1"]}}
    line = parsed(fits, {**fits, VERSION: {"B": version(500)}})
    assert (line.key, line.won.item, line.lost.item) == (KEY, fits, fits)
    assert line.won.is_whole


def test_a_delete_says_that_it_is_one() -> None:
    line = parsed({**KEY, DELETED: {"BOOL": True}}, KEY)
    assert (line.won.is_delete, line.lost.is_delete) == (True, False)
