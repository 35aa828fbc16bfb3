"""What segments that are worked on elsewhere have found: an object for each call, in a bucket.

An object is lines of JSON: the first is about the call (see `Call`), each other one is of a
key. Its name says which part and which turn it is of, so a call
that is made again replaces what it had written.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from operate.backfill import Backfilled, tell_unfilled
from operate.check import Checked, findings
from operate.journal import Journal
from operate.judge import Held

_ABOUT = ("source", "number", "over", "read", "units")


@dataclass(frozen=True)
class Call:
    """What one call has told: of which part, whether that is over then, items read, capacity units.

    And what the work adds, and its lines.
    """

    source: int
    number: int
    over: bool
    read: int
    units: float
    told: Mapping[str, Any]
    lines: Iterator[Any]


def put_result(
    client: Any, bucket: str, name: str, about: Mapping[str, Any], lines: Iterable[Any]
) -> None:
    """Tell a bucket what a call has found."""
    with tempfile.TemporaryFile() as file:
        for line in (about, *lines):
            file.write(json.dumps(line).encode() + b"\n")
        file.seek(0)
        client.put_object(Bucket=bucket, Key=name, Body=file)


def results(client: Any, bucket: str, run: str) -> Iterator[Call]:
    """What all calls of a run have told."""
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{run}/"):
        for one in page.get("Contents", ()):
            lines = client.get_object(Bucket=bucket, Key=one["Key"])["Body"].iter_lines()
            told = json.loads(next(lines))
            about = {name: told.pop(name) for name in _ABOUT}
            yield Call(**about, told=told, lines=map(json.loads, lines))


def collect_check(calls: Iterable[Call], journal: Journal) -> tuple[Checked, float]:
    """What a check's calls have found, and the capacity units that it took.

    The journal has it then, for `check.findings`. A key may be found by several parts.
    """
    journal.forget()  # what was taken before an interruption is here again
    first, units = 0, 0.0
    for call in calls:
        first += call.read if call.source == 0 else 0
        units += call.units
        journal.keep((key, [Held(*one) for one in held], kind) for key, held, kind in call.lines)
    journal.merge()
    # Only the first member's items were counted: what it lacks are keys as well.
    lacking = sum(found.held[0].item is None for found in findings(journal))
    return Checked(first + lacking, journal.counts()), units


def collect_backfill(calls: Iterable[Call], journal: Journal) -> tuple[Backfilled, float]:
    """What a backfill's calls have filled, and the capacity units that it took."""
    journal.forget()  # what was taken before an interruption is here again
    done, units = Backfilled(), 0.0
    for call in calls:
        done.read += call.read
        done.became += Counter(call.told["became"])
        units += call.units
        journal.keep((key, [], why) for key, why in call.lines)
    tell_unfilled(done, journal)
    return done, units
