"""Refuse a membership change if a member was out for longer than the streams hold records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from operate.deployed import Deployed
from operate.durations import format_duration
from operate.errors import InvalidRequestError
from operate.membership.outage import last_delivery
from operate.membership.plan import SettingChange
from operate.rings import command_for
from ring.settings.settings import Settings

STREAM_HOLDS = timedelta(hours=24)
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html"""
_MARGIN = timedelta(hours=1)  # for the deployment, and until the new hop has read the oldest record


def max_outage(settings: Settings) -> timedelta:
    """Return the longest outage after which a new hop still replicates every missed write.

    A stream holds records for 24 hours, and a hop quarantines those older than
    `mapping.record_age`.
    """
    return min(timedelta(seconds=settings.mapping.record_age), STREAM_HOLDS - _MARGIN)


def ensure_no_gap(
    change: SettingChange, deployed: Deployed, since: datetime | None, command: str
) -> None:
    """Raise `InvalidRequestError` if the member was out for too long, unless no hop leads to it.

    `since` is the beginning of the outage; None: the last delivery to the member, by the metrics of
    its hop. `command` is the one to run with --allow-gap, as `rejoin eu-west-1`.
    """
    now = datetime.now(UTC)
    hops = change.new_hops | {(hop.source, hop.target) for hop in deployed.reachable_hops}
    incoming = sorted(hop for hop in hops if hop[1] == change.member.name)
    if incoming:
        began = since or _last_delivery(change, deployed, incoming, now)
        ensure_streams_cover(change, began, now, command)


def _last_delivery(
    change: SettingChange, deployed: Deployed, incoming: Sequence[tuple[str, str]], now: datetime
) -> datetime:
    """Return the earliest of the last deliveries of a member's incoming hops."""
    clients = change.ring.clients()
    found = [last_delivery(deployed, hop, clients, now) for hop in incoming]
    known = [time for time in found if time]
    if len(known) < len(found):
        raise InvalidRequestError(
            f"The beginning of {change.member.name}'s outage is unknown: by its metrics, the hop "
            "to it delivered nothing in the last 14 days. Pass it with --since."
        )
    return min(known)


def ensure_streams_cover(
    change: SettingChange, since: datetime, now: datetime, command: str
) -> None:
    """Raise `InvalidRequestError` if more was missed since a time than the streams hold."""
    outage, limit = now - since, max_outage(change.settings)
    if outage > limit:
        lines = [*_explain_gap(change, outage, limit, command), *_explain_deletes(change, outage)]
        raise InvalidRequestError("\n".join(lines))


def _explain_gap(
    change: SettingChange, outage: timedelta, limit: timedelta, command: str
) -> Iterator[str]:
    advise = command_for(change.ring)
    yield (
        f"{change.member.name} may have missed the writes of the last {format_duration(outage)}, "
        f"and a new hop replicates those of the last {format_duration(limit)}: a stream holds "
        "24 hours, and a hop quarantines records older than `mapping.record_age`. Nothing was "
        "changed."
    )
    yield (
        "If the outage was shorter, pass its beginning with --since. If not, run "
        f"{advise(f'{command} --allow-gap')}; when it has finished, {advise('check')} lists the "
        f"keys that differ, and {advise('repair')} copies the newest version of each to all "
        "members."
    )


def _explain_deletes(change: SettingChange, outage: timedelta) -> Sequence[str]:
    retention = timedelta(days=change.settings.tombstones.retention_days)
    if change.settings.tombstones.enabled and outage < retention - STREAM_HOLDS:
        return ()
    return (
        f"Tombstones of that time have expired, so items of {change.member.name} that were deleted "
        "elsewhere would come back: empty its table before it rejoins, and fill it with "
        f"{command_for(change.ring)('backfill')}.",
    )
