"""The live view of a ring: members with their items, hops with what they did and their lag."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from local.log_notes import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

    from local.hop import LocalHop
    from local.ring import LocalRing

_REFRESH_SECONDS = 0.5
_NOTES = 4

# The counters of the handler's log lines, with the words that a person reads for them.
_COUNTERS = {
    "records": "records",
    "replicated": "written",
    "deletes": "deleted",
    "laps": "laps",
    "refused": "refused",
    "conflicts": "conflicts",
    "quarantined": "set aside",
    "failures": "failed",
}
_ALWAYS_SHOWN = ("records", "replicated", "laps")
_TROUBLES = ("quarantined", "failures")


@dataclass(frozen=True)
class MemberRow:
    """A member as it is shown."""

    name: str
    place: str
    items: int


@dataclass(frozen=True)
class HopRow:
    """A hop as it is shown. `lag` is the age in seconds of the oldest record that waits."""

    label: str
    counts: Mapping[str, int]
    waiting: int
    lag: float | None
    state: str


@dataclass(frozen=True)
class Snapshot:
    """What a ring looks like at one moment."""

    members: tuple[MemberRow, ...] = ()
    hops: tuple[HopRow, ...] = ()
    notes: tuple[str, ...] = field(default=())


def watch(
    ring: LocalRing,
    console: Console,
    seconds: float | None = None,
    greet: Callable[[], None] = lambda: None,
) -> None:
    """Show the ring for some seconds, or until the user interrupts.

    On a terminal, the picture stays in place and changes; elsewhere a line is written for each
    change. `greet` says again what stands above the picture, which a terminal of another size takes
    with it.
    """
    if console.is_terminal:
        show(_snapshots(ring, seconds), console, greet)
    else:
        before = Snapshot()
        for snapshot in _snapshots(ring, seconds):
            for line in changes(before, snapshot):
                console.print(line, highlight=False, soft_wrap=True)
            before = snapshot


def show(snapshots: Iterable[Snapshot], console: Console, greet: Callable[[], None]) -> None:
    """Draw each snapshot in the place of the one before.

    A terminal that becomes narrower breaks the lines that stand on it, each terminal in its own
    way, so where the picture begins is not known any more: then all is drawn anew.
    """
    size = console.size
    with ExitStack() as end:
        live = end.enter_context(Live(console=console, auto_refresh=False))
        for snapshot in snapshots:
            if console.size != size:
                size = console.size
                end.close()
                console.clear()
                greet()
                live = end.enter_context(Live(console=console, auto_refresh=False))
            live.update(picture(snapshot), refresh=True)


def _snapshots(ring: LocalRing, seconds: float | None) -> Iterator[Snapshot]:
    end = None if seconds is None else time.monotonic() + seconds
    while True:
        yield take(ring, time.time())
        left = _REFRESH_SECONDS if end is None else end - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(left, _REFRESH_SECONDS))


def take(ring: LocalRing, now: float) -> Snapshot:
    """Look at a ring. `now` is in seconds since 1970."""
    members = tuple(
        MemberRow(
            member.name,
            f"{member.region}/{member.table}",
            member.client.describe_table(TableName=member.table)["Table"]["ItemCount"],
        )
        for member in ring.members.values()
    )
    names = {
        hop.function.spec.environment.get("RING_SOURCE_ID", ""): hop.source
        for hop in ring.hops.values()
    }
    notes = [
        f"{hop.label}: {describe(note, names)}"
        for hop in ring.hops.values()
        for note in list(hop.tally.notes)
    ]
    return Snapshot(
        members, tuple(_hop_row(hop, now) for hop in ring.hops.values()), tuple(notes[-_NOTES:])
    )


def _hop_row(hop: LocalHop, now: float) -> HopRow:
    stats = hop.mapping.stats()
    lag = max(0.0, now - stats.oldest) if stats.oldest is not None else None
    state = hop.mapping.rest or stats.trouble or ""
    # A batch whose invocation failed altogether logs no counters of its own.
    counts = {**hop.tally.read()}
    counts["failures"] = max(counts.get("failures", 0), stats.failures)
    return HopRow(hop.label, counts, stats.waiting, lag, state)


def picture(snapshot: Snapshot) -> RenderableType:
    """Draw a snapshot. The newest note comes first: a low terminal has no room for all."""
    notes = [Text(note, "yellow", overflow="fold") for note in reversed(snapshot.notes)]
    return Group(
        _Fitting(_members_table(snapshot), _members_told(snapshot)),
        _Fitting(_hops_table(snapshot), _hops_told(snapshot)),
        *notes,
    )


@dataclass(frozen=True)
class _Fitting:
    """A table, or where there is no room for it, lines that say the same."""

    table: Table
    lines: list[Text]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        wanted = console.measure(self.table, options=options.update(max_width=10_000))
        if wanted.maximum <= options.max_width:
            yield self.table
        else:
            yield from self.lines
            yield ""


def _members_table(snapshot: Snapshot) -> Table:
    table = Table("member", "table", box=SIMPLE_HEAD)
    table.add_column("items", justify="right")
    for member in snapshot.members:
        table.add_row(member.name, member.place, f"{member.items:,}")
    return table


def _members_told(snapshot: Snapshot) -> list[Text]:
    return [
        _line(f"{one.name} ({one.place}): {one.items:,} {_noun(one.items, 'item')}")
        for one in snapshot.members
    ]


def _hops_table(snapshot: Snapshot) -> Table:
    """Draw the hops. Counters that are zero everywhere, and seldom anything else, are left out."""
    shown = [
        name
        for name in _COUNTERS
        if name in _ALWAYS_SHOWN or any(hop.counts.get(name) for hop in snapshot.hops)
    ]
    table = Table("hop", box=SIMPLE_HEAD)
    for name in shown:
        table.add_column(_COUNTERS[name], justify="right")
    table.add_column("waiting", justify="right")
    table.add_column("lag", justify="right")
    table.add_column("")
    for hop in snapshot.hops:
        counts = [_cell(name, hop.counts.get(name, 0)) for name in shown]
        lag = "" if hop.lag is None else f"{hop.lag:.0f} s"
        table.add_row(hop.label, *counts, f"{hop.waiting:,}", lag, Text(hop.state, "red"))
    return table


def _hops_told(snapshot: Snapshot) -> list[Text]:
    lines = []
    for hop in snapshot.hops:
        troubled = hop.state or any(hop.counts.get(name) for name in _TROUBLES)
        lines += [
            _line(hop.label),
            _line(f"  {_told(hop) or 'nothing yet'}", "red" if troubled else ""),
        ]
    return lines


def _line(text: str, style: str = "") -> Text:
    return Text(text, style, overflow="fold")


def _cell(name: str, number: int) -> Text:
    return Text(f"{number:,}", "red" if number and name in _TROUBLES else "")


def changes(before: Snapshot, after: Snapshot) -> Iterator[str]:
    """Tell in lines what is different between two snapshots."""
    if before.members != after.members:
        yield "items: " + ", ".join(f"{one.name} {one.items:,}" for one in after.members)
    known = {hop.label: hop for hop in before.hops}
    for hop in after.hops:
        if hop != known.get(hop.label) and (any(hop.counts.values()) or hop.waiting or hop.state):
            yield f"{hop.label}: {_told(hop)}"
    yield from (note for note in after.notes if note not in before.notes)


def _told(hop: HopRow) -> str:
    counts = [
        f"{hop.counts[name]:,} {_noun(hop.counts[name], word)}"
        for name, word in _COUNTERS.items()
        if hop.counts.get(name)
    ]
    waiting = [f"{hop.waiting:,} waiting for up to {hop.lag:.0f} s"] if hop.lag is not None else []
    return ", ".join([*counts, *waiting, *([hop.state] if hop.state else [])])


def _noun(count: int, word: str) -> str:
    """A counter's word, as it goes with a number."""
    singular = word.removesuffix("s")
    if singular not in {"record", "lap", "conflict", "item"}:
        return word
    return singular if count == 1 else f"{singular}s"
