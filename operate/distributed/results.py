"""Results of segments that functions process: an object for each call, in a bucket.

An object is lines of JSON: the first is about the call (see `Call`), each other one about a key.
Its name has the segment and the turn, so a call that is repeated replaces what it had written.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from handler.quarantine import Place
from operate.errors import OperationFailedError
from operate.reconcile.backfill import BackfillResult, add_skipped_keys
from operate.reconcile.check_result import CHANGING, CheckResult, findings
from operate.reconcile.difference_kinds import DifferenceKind, KeyFingerprints
from operate.reconcile.journal import Journal
from operate.reconcile.journal_values import RowShape, are_states, is_key
from operate.untrusted_json import MalformedJsonError, fields_of, read_json

_CHUNK = 1 << 16
_LONGEST = 1 << 20
"""Bytes of a line: a key, and some 100 for each member."""
_ABOUT = ("source", "number", "over", "read", "units")


@dataclass(frozen=True)
class Call:
    """Result of a call: its segment, whether that is done, items read, capacity units.

    `fields` and `lines` depend on the work.
    """

    source: int
    number: int
    over: bool
    read: int
    units: float
    fields: Mapping[str, Any]
    lines: Iterator[Any]


def put_result(
    client: Any, place: Place, name: str, about: Mapping[str, Any], lines: Iterable[Any]
) -> None:
    """Write the result of a call into the bucket."""
    with tempfile.TemporaryFile() as file:
        for line in (about, *lines):
            file.write(json.dumps(line).encode() + b"\n")
        file.seek(0)
        client.put_object(**place, Key=name, Body=file)


def results(client: Any, place: Place, run: str, shape: RowShape | None = None) -> Iterator[Call]:
    """Yield the results of all calls of an execution, whose lines of keys have a `shape`.

    Raises OperationFailedError where an object is not what `put_result` writes: a part that is left
    out would be taken for one in which nothing was found.
    """
    for page in client.get_paginator("list_objects_v2").paginate(**place, Prefix=f"{run}/"):
        for one in page.get("Contents", ()):
            body = client.get_object(**place, Key=one["Key"])["Body"]
            where = f"s3://{place['Bucket']}/{one['Key']}"
            yield _call(_documents(body, where, shape or RowShape()))


def position_in(client: Any, place: Place, name: str) -> str | None:
    """Return where the call that wrote this object ended: an item's key, as text.

    Raises OperationFailedError if the object does not say so.
    """
    body = client.get_object(**place, Key=name)["Body"]
    with closing(body):
        header = next(_documents(body, f"s3://{place['Bucket']}/{name}", RowShape()))
    position: str | None = header.get("position")
    return position


def _call(documents: Iterator[Any]) -> Call:
    header = next(documents)
    about = {name: header.pop(name) for name in _ABOUT}
    return Call(**about, fields=header, lines=documents)


def _documents(body: Any, where: str, shape: RowShape) -> Iterator[Any]:
    """Yield the documents of an object's lines: the call's, then those of keys."""
    try:
        lines = map(read_json, _lines(body))
        header: Any = next(lines, None)
        fields_of(header, source=int, number=int, over=bool, read=int)
        _expect(isinstance(header["units"], int | float), "its units are no number")
        if "became" in header:
            (became,) = fields_of(header, became=dict)
            _expect(all(type(count) is int for count in became.values()), "a count is no number")
        yield header
        is_expected = _is_filled if "became" in header else _is_found
        for line in lines:
            _expect(is_expected(line, shape), "a line is of no key")
            yield line
    except (MalformedJsonError, KeyError) as error:
        raise OperationFailedError(
            f"{where} is no result that a function of this ring writes: {error}. Find out who else "
            "may write there, and run this again with --restart."
        ) from error


def _lines(body: Any) -> Iterator[bytes]:
    rest = b""
    for chunk in body.iter_chunks(_CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
        _expect(len(rest) <= _LONGEST, f"a line is longer than {_LONGEST:,} bytes")
    if rest:
        yield rest


def _expect(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise MalformedJsonError(otherwise)


def _is_found(line: Any, shape: RowShape) -> bool:
    """Return whether a line is of a check: a key, its state at each member, and the verdict."""
    match line:
        case [str(key), [_, *_] as states, str(kind)]:
            return (
                is_key(key, shape.key_parts)
                and are_states(states, shape.members)
                and kind in (*DifferenceKind, CHANGING)
            )
    return False


def _is_filled(line: Any, shape: RowShape) -> bool:
    """Return whether a line is of a backfill: a key, and why it was not filled."""
    match line:
        case [str(key), str()]:
            return is_key(key, shape.key_parts)
    return False


def collect_check(calls: Iterable[Call], journal: Journal) -> tuple[CheckResult, float]:
    """Put what a check's calls found into the journal; return the result, and the capacity units.

    Several segments may have found a key.
    """
    journal.clear_suspects()  # what was collected before an interruption is here again
    first, units = 0, 0.0
    for call in calls:
        first += call.read if call.source == 0 else 0
        units += call.units
        journal.add_results(
            (key, [KeyFingerprints(*one) for one in states], kind)
            for key, states, kind in call.lines
        )
    journal.remove_duplicates()
    # Only the first member's items were counted: what it lacks are keys as well.
    lacking = sum(found.states[0].item is None for found in findings(journal))
    return CheckResult(first + lacking, journal.counts()), units


def collect_backfill(calls: Iterable[Call], journal: Journal) -> tuple[BackfillResult, float]:
    """Put what a backfill's calls skipped into the journal; return the result, and the units."""
    journal.clear_suspects()  # what was collected before an interruption is here again
    done, units = BackfillResult(), 0.0
    for call in calls:
        done.read += call.read
        done.outcomes += Counter(call.fields["became"])
        units += call.units
        journal.add_results((key, [], why) for key, why in call.lines)
    add_skipped_keys(done, journal)
    return done, units
