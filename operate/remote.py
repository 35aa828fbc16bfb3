"""A segment that is checked wherever it is called: an event comes in, a bucket is told.

It is `check --apart` for one segment (operate/apart.py), as a Lambda function: the segments of a
ring know nothing of each other, and nothing waits for them but who reads the bucket. A call that
comes near its end says where the next one goes on. The same call again writes the same object.

The event: `members` (see `told`), `part` (`source` as `operate.check` numbers them, `number`,
`of`), `bucket`, `run` (the prefix of the run's objects), `settle` (seconds), and, from the second
call on, `state`, which is what the call before answered.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import botocore.session
from botocore.config import Config

from handler.image import Key
from handler.store import Tables
from operate.apart import read_and_look
from operate.check import CHANGING, Checked, Wish, findings, look_again
from operate.journal import Journal
from operate.judge import Held, Kind
from operate.pace import Pace
from operate.reached import Reached
from operate.segments import Segment, key_of, key_text
from operate.sweep import Part

MOST = 2_000
"""Suspects after which a call ends: to look at them takes time, too."""
_LOOKING = 60.0  # seconds that the looks at so many take, about
_CONFIG = Config(
    connect_timeout=5,
    read_timeout=20,
    retries={"mode": "adaptive", "total_max_attempts": 10},
    max_pool_connections=32,
)

Event = Mapping[str, Any]
Make = Callable[[str, str | None], Any]
"""Makes a client of a service in a region (None: where the function is)."""


def handle(event: Event, context: Any) -> dict[str, Any]:
    """Check a segment, as far as the time of one call goes. See the module."""
    session = botocore.session.Session()

    def make(service: str, region: str | None) -> Any:
        return session.create_client(service, region_name=region, config=_CONFIG)

    return check_segment(event, make, lambda: context.get_remaining_time_in_millis() / 1000)


def check_segment(event: Event, make: Make, left: Callable[[], float]) -> dict[str, Any]:
    """Check a segment until it is over or little time is `left`, in seconds; say how far it is."""
    members = [reached(one, make) for one in event["members"]]
    wish = Wish(settle=event["settle"])
    state = event.get("state") or {"turn": 0, "read": 0, "position": None}
    names = members[0].keys
    with tempfile.TemporaryDirectory() as folder:
        with Journal(Path(folder) / "journal", "segment") as journal:
            start = None if state["position"] is None else key_of(state["position"], names)
            enough = wish.settle * (wish.looks - 1) + _LOOKING
            read, position = _read(members, event["part"], journal, start, lambda: left() < enough)
            look_again(members, journal, wish)
            path = Path(folder) / "found"
            with path.open("w", encoding="utf-8") as file:
                _write(file, event["part"]["source"], read, journal)
        with path.open("rb") as body:
            make("s3", None).put_object(
                Bucket=event["bucket"], Key=_name(event, state["turn"]), Body=body
            )
    return {
        "turn": state["turn"] + 1,
        "read": state["read"] + read,
        "position": None if position is None else key_text(position, names),
        "over": position is None,
    }


def told(member: Reached) -> dict[str, Any]:
    """A member, as an event has it."""
    return {
        "name": member.name,
        "region": member.region,
        "replica": member.replica,
        "table": member.tables.table,
        "tombstones": member.tables.tombstones,
        "keys": member.keys,
        "types": member.types,
        "expires": member.expires,
    }


def parts(members: Sequence[Reached], segments: int) -> Iterator[dict[str, int]]:
    """All parts of a check, as events have them."""
    for place, member in enumerate(members):
        sources = [2 * place, *([2 * place + 1] if member.tables.tombstones else [])]
        for source in sources:
            for number in range(segments):
                yield {"source": source, "number": number, "of": segments}


def collect(client: Any, bucket: str, run: str, journal: Journal) -> Checked:
    """What all parts of a run have found; the journal has it then, for `check.findings`."""
    first = 0
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{run}/"):
        for one in page.get("Contents", ()):
            lines = client.get_object(Bucket=bucket, Key=one["Key"])["Body"].iter_lines()
            about = json.loads(next(lines))
            first += about["read"] if about["source"] == 0 else 0
            journal.keep(_kept(json.loads(line)) for line in lines)
    journal.merge()
    lacking = sum(found.held[0].item is None for found in findings(journal))
    return Checked(first + lacking, journal.counts())


def _read(
    members: Sequence[Reached],
    part: Mapping[str, int],
    journal: Journal,
    position: Key | None,
    late: Callable[[], bool],
) -> tuple[int, Key | None]:
    """Read on until it is late, or there is enough to look at; how much was read, and to where."""
    tables = members[part["source"] // 2].tables
    table = tables.tombstones if part["source"] % 2 else tables.table
    assert table is not None  # there is no such part otherwise
    segment = Part(part["source"], Segment(table, part["number"], part["of"]))
    read = 0
    while True:
        page = read_and_look(members, segment, position)
        journal.take(segment, page, found=((key, None) for key in page.suspects))
        read += len(page.items)
        position = page.position
        if position is None or late() or journal.open_suspects() >= MOST:
            return read, position


def _write(file: IO[str], source: int, read: int, journal: Journal) -> None:
    file.write(json.dumps({"source": source, "read": read}) + "\n")
    for kind in (*Kind, CHANGING):
        for chunk in journal.suspects(kind):
            for _, key, held in chunk:
                file.write(json.dumps([key, held, kind]) + "\n")


def _kept(line: Sequence[Any]) -> tuple[str, list[Held], str]:
    key, held, found = line
    return key, [Held(*one) for one in held], found


def _name(event: Event, turn: int) -> str:
    part = event["part"]
    return f"{event['run']}/{part['source']}-{part['number']}-{turn}.jsonl"


def reached(one: Mapping[str, Any], make: Make) -> Reached:
    """A member, of what an event says of it."""
    return Reached(
        name=one["name"],
        region=one["region"],
        replica=one["replica"],
        next=(),
        client=make("dynamodb", one["region"]),
        tables=Tables(one["table"], one["tombstones"], 0),
        keys=tuple(one["keys"]),
        types=tuple(one["types"]),
        expires=one["expires"],
        items=0,
        buried=0,
        pace=Pace(None),
    )
