"""Live view of a ring: item counts of the members, counters and lag of the hops."""

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

from local.live.log_notes import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

    from local.hop import LocalHop
    from local.ring import LocalRing

_REFRESH_SECONDS = 0.5
_NOTES = 4

# The counters of the handler's log lines, with their labels.
_COUNTERS = {
    "records": "records",
    "replicated": "written",
    "deletes": "deleted",
    "laps": "laps",
    "refused": "refused",
    "conflicts": "conflicts",
    "quarantined": "quarantined",
    "failures": "failed",
}
_ALWAYS_SHOWN = ("records", "replicated", "laps")
_TROUBLES = ("quarantined", "failures")


@dataclass(frozen=True)
class MemberRow:
    """A row of the members' table."""

    name: str
    place: str
    items: int | None
    """None while its region does not answer."""


@dataclass(frozen=True)
class HopRow:
    """A row of the hops' table. `lag` is the age of the oldest waiting record in seconds."""

    label: str
    counts: Mapping[str, int]
    waiting: int
    lag: float | None
    state: str


@dataclass(frozen=True)
class Snapshot:
    """State of a ring at one moment."""

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

    A terminal shows a view that is updated in place; otherwise a line is printed for each change.
    `greet` prints the text above the view again, after the screen was cleared because the terminal
    was resized.
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
    """Draw each snapshot over the previous one.

    When a terminal becomes narrower, it rewraps its lines in its own manner, so that the start of
    the view is unknown: then the screen is cleared and drawn again.
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
            live.update(render(snapshot), refresh=True)


def _snapshots(ring: LocalRing, seconds: float | None) -> Iterator[Snapshot]:
    end = None if seconds is None else time.monotonic() + seconds
    while True:
        yield take(ring, time.time())
        remaining = _REFRESH_SECONDS if end is None else end - time.monotonic()
        if remaining <= 0:
            return
        time.sleep(min(remaining, _REFRESH_SECONDS))


def take(ring: LocalRing, now: float) -> Snapshot:
    """Return the state of a ring. `now` is in seconds since 1970."""
    members = tuple(
        MemberRow(member.name, f"{member.region}/{member.table}", ring.item_count(member))
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
    state = hop.mapping.stopped_by or stats.trouble or ""
    # A failed invocation logs no counters.
    counts = {**hop.tally.read()}
    counts["failures"] = max(counts.get("failures", 0), stats.failures)
    return HopRow(hop.label, counts, stats.waiting, lag, state)


def render(snapshot: Snapshot) -> RenderableType:
    """Render a snapshot. The newest note comes first, as a low terminal cuts off the end."""
    notes = [Text(note, "yellow", overflow="fold") for note in reversed(snapshot.notes)]
    return Group(
        _TableOrLines(_members_table(snapshot), _member_lines(snapshot)),
        _TableOrLines(_hops_table(snapshot), _hop_lines(snapshot)),
        *notes,
    )


@dataclass(frozen=True)
class _TableOrLines:
    """A table, or lines with the same content if the terminal is too narrow for it."""

    table: Table
    lines: list[Text]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        size = console.measure(self.table, options=options.update(max_width=10_000))
        if size.maximum <= options.max_width:
            yield self.table
        else:
            yield from self.lines
            yield ""


def _members_table(snapshot: Snapshot) -> Table:
    table = Table("member", "table", box=SIMPLE_HEAD)
    table.add_column("items", justify="right")
    for member in snapshot.members:
        table.add_row(member.name, member.place, _items(member))
    return table


def _member_lines(snapshot: Snapshot) -> list[Text]:
    return [
        _line(
            f"{member.name} ({member.place}): {_items(member)} {_noun(member.items or 0, 'item')}"
        )
        for member in snapshot.members
    ]


def _hops_table(snapshot: Snapshot) -> Table:
    """Return the table of hops, without the rarer counters if they are zero at all hops."""
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


def _hop_lines(snapshot: Snapshot) -> list[Text]:
    lines = []
    for hop in snapshot.hops:
        troubled = hop.state or any(hop.counts.get(name) for name in _TROUBLES)
        lines += [
            _line(hop.label),
            _line(f"  {_summary(hop) or 'no records yet'}", "red" if troubled else ""),
        ]
    return lines


def _items(member: MemberRow) -> str:
    return "?" if member.items is None else f"{member.items:,}"


def _line(text: str, style: str = "") -> Text:
    return Text(text, style, overflow="fold")


def _cell(name: str, number: int) -> Text:
    return Text(f"{number:,}", "red" if number and name in _TROUBLES else "")


def changes(before: Snapshot, after: Snapshot) -> Iterator[str]:
    """Yield a line for each difference between two snapshots."""
    if before.members != after.members:
        yield "items: " + ", ".join(f"{member.name} {_items(member)}" for member in after.members)
    known = {hop.label: hop for hop in before.hops}
    for hop in after.hops:
        if hop != known.get(hop.label) and (any(hop.counts.values()) or hop.waiting or hop.state):
            yield f"{hop.label}: {_summary(hop)}"
    yield from (note for note in after.notes if note not in before.notes)


def _summary(hop: HopRow) -> str:
    counts = [
        f"{hop.counts[name]:,} {_noun(hop.counts[name], word)}"
        for name, word in _COUNTERS.items()
        if hop.counts.get(name)
    ]
    waiting = [f"{hop.waiting:,} waiting for up to {hop.lag:.0f} s"] if hop.lag is not None else []
    return ", ".join([*counts, *waiting, *([hop.state] if hop.state else [])])


def _noun(count: int, word: str) -> str:
    """Return a counter's label, in the singular for 1."""
    singular = word.removesuffix("s")
    if singular not in {"record", "lap", "conflict", "item"}:
        return word
    return singular if count == 1 else f"{singular}s"
