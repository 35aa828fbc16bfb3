"""What the page shows, as JSON: made from readings, one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from local.live.recent import Delivery
from page.happenings import Happening, changes, completed, of_line, path_of
from page.hop_log import HopLog, Spread, Window, batch_fields, spread
from page.reading import HopReading, LogLine, MemberReading, Reading
from page.travels import Travel, Travels

Document = dict[str, Any]


class View:
    """The state of a ring as the page shows it. `document` is of the last reading."""

    def __init__(self, label: str, *, is_local: bool) -> None:
        self.document: Document = {}
        self._fixed = {"label": label, "local": is_local}
        self._replicas: Mapping[str, str] = {}
        self._before = Reading(0.0)
        self._logs: dict[str, HopLog] = {}
        self._exact: dict[str, Window] = {}
        self._travels = Travels()

    def add(self, reading: Reading) -> list[Happening]:
        """Take a reading; return what happened since the one before."""
        self._replicas = reading.replicas or self._replicas
        happenings = list(changes(self._before, reading))
        paths = {hop.source: path_of(hop) for hop in reading.hops}
        for line in reading.lines:
            happenings.extend(self._line(line, paths.get(line.source, line.source)))
        happenings.extend(completed(self._laps(reading.deliveries or ())))
        self._before = reading
        self.document = {
            **self._fixed,
            "now": reading.now,
            "note": reading.note,
            "faults": [asdict(fault) for fault in reading.faults],
            "members": [_member(member, reading.now) for member in reading.members],
            "hops": [self._hop(hop, reading.now) for hop in reading.hops],
            "writes": None
            if reading.deliveries is None
            else [asdict(travel) for travel in self._travels],
            "conflicts": sum(log.counts.get("conflicts", 0) for log in self._logs.values()),
        }
        return happenings

    def _line(self, line: LogLine, path: str) -> Iterator[Happening]:
        if fields := batch_fields(line.text):
            self._logs.setdefault(line.source, HopLog()).add(line.when, fields)
        elif happening := of_line(path, line.text, self._replicas):
            yield happening

    def _laps(self, deliveries: Iterable[Delivery]) -> Iterator[Travel]:
        """Add deliveries; yield the writes whose lap they completed."""
        for reported in deliveries:
            for delivery, travel in self._travels.add(reported):
                lags = self._exact.setdefault(delivery.source, Window())
                lags.add(delivery.at, delivery.at - travel.began)
                if delivery.target == travel.origin:
                    yield travel

    def _hop(self, hop: HopReading, now: float) -> Document:
        """Return a hop. Its lag is measured here where each write is seen, or by its metrics."""
        log = self._logs.get(hop.source, HopLog())
        exact = self._exact.get(hop.source)
        lag = spread(exact.at(now)) if exact else spread(log.lags.at(now))
        return {
            **asdict(hop),
            "rate": round(log.rate(now), 1),
            "lag": _spread(lag),
            "retries": log.counts.get("retries", 0),
            "conflicts": log.counts.get("conflicts", 0),
        }


def _member(member: MemberReading, now: float) -> Document:
    beat = None if member.heartbeat is None else max(0.0, now - member.heartbeat)
    return {**asdict(member), "heartbeat": beat}


def _spread(values: Spread | None) -> Document | None:
    return None if values is None else {"p50": round(values.p50, 3), "p99": round(values.p99, 3)}
