"""The most that a trial can cost, by the same arithmetic as `automate.py cost`. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from operate.pricing import ring_cost
from operate.pricing.bill import MONTH, BillLine, RingProfile, total
from operate.pricing.bill import Load as Writes
from operate.pricing.prices import PriceList, Prices
from operate.trial.plan import Load, TrialPlan
from ring.settings.members import members_of
from ring.topology import all_hops

HOURS = 3
"""The longest that a trial is taken to last: alarms, metrics and dashboards are by the hour."""
MARGIN = 2
"""What is written and read is taken this many times: retries, and a step that is begun again."""
LIMIT = 1.0
"""US dollars."""
_BY_THE_HOUR = ("alarms", "metrics", "dashboards", "heartbeats'")
"""First words of the names of lines."""
_SMALL = 1_024
_READS_OF_ALL = 300
"""How often everything is read, to see whether it has arrived."""


def trial_cost(plan: TrialPlan, prices: PriceList) -> list[BillLine]:
    """Return the most that each item of the bill can come to."""
    settings = plan.parsed()
    members = members_of(settings)
    profile = RingProfile(
        members=len(members),
        crossing=sum(hop.source.region != hop.target.region for hop in all_hops(settings)),
        tombstones=settings.tombstones.enabled,
        memory=settings.function.memory,
        batch_size=settings.mapping.batch_size,
        dashboards=len({(member.partition, member.credentials) for member in members}),
        beat_minutes=settings.heartbeat.every if settings.heartbeat.enabled else 0,
    )
    known = prices.of_all([member.region for member in members])
    lines = [
        line
        for place, writes in enumerate(_loads(plan.load, len(members)))
        for line in _lines(writes, profile, known, with_hours=place == 0)
    ]
    return [*_merged(lines), _reads(plan.load, len(members), known)]


def most_dollars(lines: Sequence[BillLine]) -> float:
    """Return what the lines come to, never rounded to less than a cent."""
    return max(total(lines), 0.01)


def _loads(load: Load, members: int) -> Iterator[Writes]:
    """Yield the trial's writes, small and large ones, as if they were spread over a month."""
    contested = load.contested * load.rounds * members
    small = load.inserts + load.updates + load.deletes + load.types + load.hot + contested + 500
    rate = MARGIN * small / MONTH
    yield Writes(rate, _SMALL, deletes=0.4, inserts=0.4)
    for size in load.sizes:
        yield Writes(MARGIN * members / MONTH, size * 1_024, inserts=1.0)


def _lines(
    writes: Writes, profile: RingProfile, prices: Sequence[Prices], *, with_hours: bool
) -> Iterator[BillLine]:
    """Yield the lines of a load, and what is paid by the hour, which is to be counted once."""
    for line in ring_cost.ring(writes, profile, prices):
        if not line.name.startswith(_BY_THE_HOUR):
            yield line
        elif with_hours:
            yield replace(line, quantity=line.quantity * HOURS * 3600 / MONTH)


def _merged(lines: Sequence[BillLine]) -> Iterator[BillLine]:
    for name in dict.fromkeys(line.name for line in lines):
        alike = [line for line in lines if line.name == name]
        yield replace(alike[0], quantity=sum(line.quantity for line in alike), formula="")


def _reads(load: Load, members: int, prices: Sequence[Prices]) -> BillLine:
    """Return the trial's own reads: consistent ones, a unit for 4 KB."""
    small = (load.inserts + load.types + load.contested) * _SMALL / 4_096
    large = sum(load.sizes) * members / 4
    units = (small + large) * members * _READS_OF_ALL
    price = sum(one.read for one in prices) / len(prices)
    return BillLine("reads by the trial", units / 1e6, "million RRU", price, "")
