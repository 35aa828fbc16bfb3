"""What of a ring's quarantines is to be told or played, however much: on disk, not in memory.

An entry holds whole items, and there may be as many as were written in an outage. So each is read,
told here without its records, and read again when its turn has come.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from operate.quarantine.listing import QuarantineAccess, QuarantinedEntry
from operate.quarantine.redrive import RedriveOptions, RedriveOutcome, RedriveResult, redrive


class RedriveList:
    """Entries by what they say of themselves, and what became of each when they were played.

    It is in a file that SQLite deletes when it is closed: https://www.sqlite.org/inmemorydb.html
    """

    def __init__(self, asides: Iterable[QuarantinedEntry]) -> None:
        self._ways: dict[QuarantineAccess, int] = {}
        self._db = sqlite3.connect("", check_same_thread=False)
        self._db.execute(
            "CREATE TABLE entry (way INTEGER, id TEXT, made REAL, number TEXT, about TEXT, "
            "became TEXT, why TEXT, again INTEGER DEFAULT 0, PRIMARY KEY (way, id))"
        )
        for aside in asides:
            way = self._ways.setdefault(aside.way, len(self._ways))
            entry = aside.entry
            row = (
                way,
                entry.id,
                entry.written_at or 0.0,
                entry.number,
                json.dumps(entry.summary()),
            )
            self._db.execute(
                "INSERT INTO entry (way, id, made, number, about) VALUES (?, ?, ?, ?, ?)", row
            )

    def __len__(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM entry").fetchone()[0])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Each as `Entry.about` tells it, in the order given, and what became of it, if known."""
        for about, became, why in self._db.execute(
            "SELECT about, became, why FROM entry ORDER BY rowid"
        ):
            yield json.loads(about) | ({"became": became, "why": why} if became else {})

    @property
    def became(self) -> Counter[str]:
        """How many became what."""
        return Counter(dict(self._db.execute("SELECT became, count(*) FROM entry GROUP BY became")))

    @property
    def stays(self) -> bool:
        """Whether anything of them is in the quarantine still."""
        still = "SELECT 1 FROM entry WHERE became IS NOT ? OR again > 0 LIMIT 1"
        return self._db.execute(still, (RedriveOutcome.DONE,)).fetchone() is not None

    def redrive(
        self, wish: RedriveOptions, progress: Callable[[RedriveResult], None] = lambda _: None
    ) -> None:
        """Play all, hop by hop, each hop's oldest changes first, and so each key's in their order.

        `progress` hears of each that is played. Raises `OperateError`.
        """
        self._db.execute("UPDATE entry SET became = NULL, why = NULL, again = 0")
        for way, number in self._ways.items():
            for played in redrive(way.reach, way.entries(self._oldest_first(number)), wish):
                self._note(number, played)
                progress(played)
        became, why = RedriveOutcome.DONE, "it is gone: somebody has played or removed it"
        if wish.stop.is_asked:
            became, why = RedriveOutcome.LEFT, "stopped before it was played"
        self._db.execute("UPDATE entry SET became = ?, why = ? WHERE became IS NULL", (became, why))

    def _oldest_first(self, way: int) -> Iterator[str]:
        order = "SELECT id FROM entry WHERE way = ? ORDER BY made, number, rowid"
        return (name for (name,) in self._db.execute(order, (way,)))

    def _note(self, way: int, played: RedriveResult) -> None:
        self._db.execute(
            "UPDATE entry SET became = ?, why = ?, again = ? WHERE way = ? AND id = ?",
            (played.outcome, played.why, played.again, way, played.entry.id),
        )
