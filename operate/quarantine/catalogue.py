"""List of quarantined entries and their outcomes, on disk instead of in memory.

An entry has whole items, and an outage may have quarantined all that was written. So each is read
once for its summary, kept here without its records, and read again when it is redriven.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from operate.errors import OperationFailedError
from operate.quarantine.listing import QuarantineAccess, QuarantinedEntry
from operate.quarantine.redrive import RedriveOptions, RedriveOutcome, RedriveResult, redrive


class RedriveList:
    """Summaries of entries, and the outcome of each once it is redriven.

    SQLite keeps them in a temporary file, which it deletes when it is closed: https://www.sqlite.org/inmemorydb.html
    """

    def __init__(self, entries: Iterable[QuarantinedEntry]) -> None:
        self._hops: dict[QuarantineAccess, int] = {}
        self.unreached: tuple[str, ...] = ()
        """Why hops could not be used in the last redrive; `progress` gets none of their entries."""
        self._db = sqlite3.connect("", check_same_thread=False)
        self._db.execute(
            "CREATE TABLE entry (hop INTEGER, id TEXT, made REAL, number TEXT, about TEXT, "
            "became TEXT, why TEXT, again INTEGER DEFAULT 0, PRIMARY KEY (hop, id))"
        )
        for listed in entries:
            hop = self._hops.setdefault(listed.access, len(self._hops))
            entry = listed.entry
            row = (
                hop,
                entry.id,
                entry.written_at or 0.0,
                entry.number,
                json.dumps(entry.summary()),
            )
            self._db.execute(
                "INSERT INTO entry (hop, id, made, number, about) VALUES (?, ?, ?, ?, ?)", row
            )

    def __len__(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM entry").fetchone()[0])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield each entry's `summary`, in the order given, with its outcome if it is known."""
        for about, became, why in self._db.execute(
            "SELECT about, became, why FROM entry ORDER BY rowid"
        ):
            yield json.loads(about) | ({"became": became, "why": why} if became else {})

    @property
    def became(self) -> Counter[str]:
        """Number of entries by outcome."""
        return Counter(dict(self._db.execute("SELECT became, count(*) FROM entry GROUP BY became")))

    @property
    def stays(self) -> bool:
        """Whether any record is still in the quarantine."""
        still = "SELECT 1 FROM entry WHERE became IS NOT ? OR again > 0 LIMIT 1"
        return self._db.execute(still, (RedriveOutcome.DONE,)).fetchone() is not None

    def redrive(
        self, options: RedriveOptions, progress: Callable[[RedriveResult], None] = lambda _: None
    ) -> None:
        """Redrive all, hop by hop, the oldest changes of each first, so each key's are in order.

        `progress` is called with each result. Raises `OperateError`.
        """
        self._db.execute("UPDATE entry SET became = NULL, why = NULL, again = 0")
        self.unreached = ()
        for access, number in self._hops.items():
            try:
                access.ask_target()
            except OperationFailedError as error:
                self._note_all(number, RedriveOutcome.FAILED, str(error))
                self.unreached += (str(error),)
                continue
            entries = access.entries(self._oldest_first(number))
            for result in redrive(access.reach, entries, options):
                self._note(number, result)
                progress(result)
        became, why = RedriveOutcome.DONE, "it is gone: somebody has replayed or removed it"
        if options.stop.is_asked:
            became, why = RedriveOutcome.LEFT, "stopped before it was replayed"
        self._db.execute("UPDATE entry SET became = ?, why = ? WHERE became IS NULL", (became, why))

    def _oldest_first(self, hop: int) -> Iterator[str]:
        order = "SELECT id FROM entry WHERE hop = ? ORDER BY made, number, rowid"
        return (name for (name,) in self._db.execute(order, (hop,)))

    def _note_all(self, hop: int, became: RedriveOutcome, why: str) -> None:
        self._db.execute("UPDATE entry SET became = ?, why = ? WHERE hop = ?", (became, why, hop))

    def _note(self, hop: int, result: RedriveResult) -> None:
        self._db.execute(
            "UPDATE entry SET became = ?, why = ?, again = ? WHERE hop = ? AND id = ?",
            (result.outcome, result.why, result.again, hop, result.entry.id),
        )
