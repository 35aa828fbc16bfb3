"""Process one table segment in a Lambda function; its results go to a bucket.

It is `check --pairwise`, or `backfill`, for one segment. Segments do not depend on each other. A
call that runs out of time says where the next one continues. Repeated, it writes the same object.

The event: `work` (`check` or `backfill`), `how` (see below), `members` (see `member_to_event`),
`part` (`source`, `number`, `of`), `bucket`, `run` (the prefix of the run's objects), and, from the
second call on, `state`, the response of the call before. Where that call ended is an item's key, so
it is not in the response, which Step Functions keeps for months, but in the call's object in the
bucket.

- check: `how` has `settle` and `tombstones`, see `operate.reconcile.check.CheckOptions`. A part's
  source is as `operate.reconcile.check` numbers them.
- backfill: `how` has `route`, the places of a source and a target. All parts are of source 0.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import botocore.session
from botocore.config import Config

from handler.aws.clients import CONCURRENCY, prepared
from handler.model.image import Key
from handler.quarantine import Place, place_of
from handler.store.dynamodb import MemberTables
from operate.aws.roles import assume_role_session
from operate.distributed.results import position_in, put_result
from operate.errors import OperationFailedError
from operate.reconcile.backfill import Filler, Route, find_skipped_keys
from operate.reconcile.check import CheckOptions, recheck_suspects
from operate.reconcile.check_result import CHANGING
from operate.reconcile.compare_page import compare_page
from operate.reconcile.difference_kinds import DifferenceKind
from operate.reconcile.fingerprints import key_of, key_text
from operate.reconcile.journal import Journal
from operate.reconcile.members import MemberConnection
from operate.reconcile.parallel_scan import ScanSegment, Segment
from operate.reconcile.rate_limit import RateLimiter, attach_rate_limiter

MOST = 2_000
"""Suspects after which a call ends: to recheck them takes time, too."""
_RECHECK_SECONDS = 60.0
"""Seconds that it takes to recheck so many, about."""
_PAGE_SECONDS = 120.0
"""Seconds that it may take to fill a page, each item of which is read and put."""
_CONFIG = Config(
    connect_timeout=5,
    read_timeout=20,
    retries={"mode": "adaptive", "total_max_attempts": 10},
    max_pool_connections=CONCURRENCY,
)

Event = Mapping[str, Any]
ClientFactory = Callable[[str, str | None, str | None], Any]
"""Makes a client of a service in a region (None: where the function is), as a role, if any."""
RemainingTime = Callable[[], float]
"""Returns the remaining time in seconds."""


class SegmentProgress(NamedTuple):
    """Progress of a call: items read, where it stopped, and its results.

    `fields` go before the `lines`, each of which is of a key.
    """

    read: int
    position: Key | None
    fields: Mapping[str, Any]
    lines: Iterator[Any]


def handle(event: Event, context: Any) -> dict[str, Any]:
    """Process a segment for as long as one call may take. The event: see the module."""
    own = prepared(botocore.session.Session())

    def make(service: str, region: str | None, role: str | None) -> Any:
        session = own
        if role is not None:
            session = assume_role_session(
                role, partial(own.create_client, region_name=region), own.get_credentials()
            )
        return session.create_client(service, region_name=region, config=_CONFIG)

    account = context.invoked_function_arn.split(":")[4]
    return process_segment(
        event, make, lambda: context.get_remaining_time_in_millis() / 1000, account
    )


def process_segment(
    event: Event, make: ClientFactory, left: RemainingTime, account: str
) -> dict[str, Any]:
    """Process a segment until it is done or little time is `left`; return its `state`.

    The bucket must belong to `account`.
    """
    members = [member_from_event(one, make) for one in event["members"]]
    names = members[0].keys
    results, place = make("s3", None, None), place_of(event["bucket"], account)
    state = event.get("state") or {"turn": 0, "read": 0}
    start = None
    if state["turn"]:
        start = key_of(_position(results, place, _name(event, state["turn"] - 1)), names)
    with (
        tempfile.TemporaryDirectory() as folder,
        Journal(Path(folder) / "journal", "segment") as journal,
    ):
        done = _WORKS[event["work"]](members, event, start, journal, left)
        about = {
            "source": event["part"]["source"],
            "number": event["part"]["number"],
            "over": done.position is None,
            "read": done.read,
            "units": sum(member.rate_limiter.spent for member in members),
            "position": None if done.position is None else key_text(done.position, names),
            **done.fields,
        }
        put_result(results, place, _name(event, state["turn"]), about, done.lines)
    return {
        "turn": state["turn"] + 1,
        "read": state["read"] + done.read,
        "over": done.position is None,
    }


def _position(client: Any, place: Place, name: str) -> str:
    position = position_in(client, place, name)
    if position is None:
        raise OperationFailedError(
            f"s3://{place['Bucket']}/{name} does not say where the call before has ended. Run this "
            "again with --restart."
        )
    return position


def member_to_event(member: MemberConnection, role: str | None = None) -> dict[str, Any]:
    """Return a member as an event has it; `role` is what the function assumes to reach it."""
    return {
        "name": member.name,
        "region": member.region,
        "replica": member.replica,
        "next": member.next_replicas,
        "table": member.tables.table,
        "tombstones": member.tables.tombstones,
        "retention": member.tables.retention,
        "keys": member.keys,
        "types": member.types,
        "expires": member.ttl_attribute,
        "role": role,
    }


def segment_to_event(part: ScanSegment) -> dict[str, int]:
    """Return a segment as an event has it."""
    return {"source": part.source, "number": part.segment.number, "of": part.segment.of}


def member_from_event(one: Mapping[str, Any], make: ClientFactory) -> MemberConnection:
    """Connect to a member of an event."""
    client, limiter = make("dynamodb", one["region"], one["role"]), RateLimiter(None)
    attach_rate_limiter(client, limiter)
    return MemberConnection(
        name=one["name"],
        region=one["region"],
        replica=one["replica"],
        next_replicas=tuple(one["next"]),
        client=client,
        tables=MemberTables(one["table"], one["tombstones"], one["retention"]),
        keys=tuple(one["keys"]),
        types=tuple(one["types"]),
        ttl_attribute=one["expires"],
        item_count=0,
        tombstone_count=0,
        rate_limiter=limiter,
    )


def _check(
    members: Sequence[MemberConnection],
    event: Event,
    start: Key | None,
    journal: Journal,
    left: RemainingTime,
) -> SegmentProgress:
    """Compare pages until it is late, or there are many suspects; then recheck those."""
    how, part = event["how"], event["part"]
    options = CheckOptions(tombstones=how["tombstones"], settle_seconds=how["settle"])
    tables = members[part["source"] // 2].tables
    table = tables.tombstones if part["source"] % 2 else tables.table
    segment = ScanSegment(part["source"], _segment(part, table), start)
    enough = options.settle_seconds * (options.max_rechecks - 1) + _RECHECK_SECONDS
    read, since = 0, options.deletes_since(members)
    while True:
        page = compare_page(members, segment, since)
        journal.record_page(segment, page, found=((key, None) for key in page.suspects))
        read += len(page.items)
        segment = replace(segment, position=page.position)
        if page.is_last or left() < enough or journal.open_suspects() >= MOST:
            break
    recheck_suspects(members, journal, options)
    return SegmentProgress(read, segment.position, {}, _found(journal))


def _found(journal: Journal) -> Iterator[Any]:
    for kind in (*DifferenceKind, CHANGING):
        for chunk in journal.suspects(kind):
            for _, key, states in chunk:
                yield [key, states, kind]


def _fill(
    members: Sequence[MemberConnection],
    event: Event,
    start: Key | None,
    journal: Journal,
    left: RemainingTime,
) -> SegmentProgress:
    """Fill page by page until it is late. A page that is repeated writes nothing again."""
    part = event["part"]
    route = Route(*event["how"]["route"])
    segment = ScanSegment(0, _segment(part, members[route.source].tables.table), start)
    became: Counter[str] = Counter()
    lines: list[tuple[str, str]] = []
    read = 0
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        while True:
            page = Filler(members, route, pool).page(segment, members[0].stop)
            became.update(page.outcomes)
            lines += find_skipped_keys(page, members[0].keys)
            read += len(page.items)
            segment = replace(segment, position=page.position)
            if page.is_last or left() < _PAGE_SECONDS or len(lines) >= MOST:
                return SegmentProgress(read, segment.position, {"became": became}, iter(lines))


def _segment(part: Mapping[str, int], table: str | None) -> Segment:
    assert table is not None  # there is no such part otherwise
    return Segment(table, part["number"], part["of"])


def _name(event: Event, turn: int) -> str:
    part = event["part"]
    return f"{event['run']}/{part['source']}-{part['number']}-{turn}.jsonl"


_WORKS = {"check": _check, "backfill": _fill}
