"""What happened between two readings of a ring, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from local.live.log_notes import describe
from operate.untrusted_json import MalformedJsonError, read_json
from page.reading import HopReading, Reading
from page.travels import Travel

_MOST_WRITES = 3
"""Writes of one reading that are listed one by one."""


@dataclass(frozen=True)
class Happening:
    """Something that happened. `kind` is its colour: "info", "good", "warning" or "bad"."""

    kind: str
    text: str


def changes(before: Reading, after: Reading) -> Iterator[Happening]:
    """Yield what changed in the state of members, hops and alarms."""
    if before.note != after.note and after.note:
        yield Happening("warning" if before.members or after.members else "info", after.note)
    if after.members and not before.members:
        names = ", ".join(member.name for member in after.members)
        yield Happening("good", f"The ring of {len(after.members)} members is there: {names}.")
    yield from _comings(before, after)
    yield from _faults(before, after)
    hops = {hop.source: hop for hop in before.hops}
    for hop in after.hops:
        if hop.source in hops:
            yield from _of_hop(hops[hop.source], hop)
    members = {member.name: member for member in before.members}
    for member in after.members:
        if member.name in members:
            yield from _troubles(members[member.name].trouble, member.trouble)


def _comings(before: Reading, after: Reading) -> Iterator[Happening]:
    if not before.members:
        return
    old, new = (_paths(reading) for reading in (before, after))
    for path in old - new:
        yield Happening("warning", f"The hop {path} is gone.")
    for path in new - old:
        yield Happening("good", f"The hop {path} is new.")


def _faults(before: Reading, after: Reading) -> Iterator[Happening]:
    old, new = ({fault.id: fault.text for fault in reading.faults} for reading in (before, after))
    for id_ in new.keys() - old.keys():
        yield Happening("warning", f"Fault: {new[id_]}.")
    for id_ in old.keys() - new.keys():
        yield Happening("good", f"The fault ended: {old[id_]}.")


def _paths(reading: Reading) -> set[str]:
    return {path_of(hop) for hop in reading.hops}


def path_of(hop: HopReading) -> str:
    """Return a hop's name, `a -> b`."""
    return f"{hop.source} -> {hop.target}"


def _of_hop(before: HopReading, after: HopReading) -> Iterator[Happening]:
    name = path_of(after)
    if before.state != after.state:
        kind = "good" if after.state == "running" else "warning"
        is_ = " is" if after.state in ("running", "paused") else ":"
        yield Happening(kind, f"{name}{is_} {after.state}.")
    for alarm in set(after.alarms) - set(before.alarms):
        yield Happening("bad", f"Alarm: {alarm}.")
    for alarm in set(before.alarms) - set(after.alarms):
        yield Happening("good", f"The alarm {alarm} ended.")
    yield from _troubles(before.trouble, after.trouble)


def _troubles(before: tuple[str, ...], after: tuple[str, ...]) -> Iterator[Happening]:
    for text in after:
        if text not in before:
            yield Happening("bad", text)


def completed(travels: Iterable[Travel]) -> Iterator[Happening]:
    """Describe the writes whose lap was completed."""
    ended = list(travels)
    for travel in ended[:_MOST_WRITES]:
        everywhere = max(travel.reached.values()) - travel.began
        yield Happening(
            "info",
            f"{travel.action} {travel.key}: made at {travel.origin}, everywhere after "
            f"{everywhere:.2f} s, lap {travel.lap or 0:.2f} s",
        )
    if len(ended) > _MOST_WRITES:
        more = len(ended) - _MOST_WRITES
        yield Happening("info", f"and {more} more writes completed their lap")


def of_line(path: str, text: str, replicas: Mapping[str, str]) -> Happening | None:
    """Describe a log line of a hop; None: a person need not see it.

    `replicas` are the members' names by their replica IDs.
    """
    try:
        fields = read_json(text)
    except MalformedJsonError:
        return None  # of Lambda itself, such as REPORT
    event = fields.get("event") if isinstance(fields, dict) else None
    if not isinstance(event, str) or event == "batch":
        return None
    kind = {"conflict": "warning", "quarantined": "bad", "failure": "warning"}.get(event, "info")
    return Happening(kind, f"{path}: {describe(text, replicas)}")
