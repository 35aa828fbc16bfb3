"""Checkpoint file of an operation on whole tables: its progress, and the rows that it sorts.

Keeps memory flat whatever the table's size, and lets an interrupted operation resume:
docs/decisions/0006-a-journal-on-disk.md.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import groupby
from pathlib import Path
from typing import Any, Self

from operate.reconcile.difference_kinds import KeyFingerprints
from operate.reconcile.fingerprints import Row
from operate.reconcile.journal_file import age_of, claim, find, side_files
from operate.reconcile.journal_values import (
    DamageError,
    RowShape,
    journal_error,
    position_of,
    position_text,
    suspect_of,
)
from operate.reconcile.parallel_scan import Page, ScanSegment, Segment
from operate.stop import Stop, StoppedError

COMPARED = "compare"
"""Phase of a check: all keys were compared, and those to recheck recorded."""
_CHUNK = 500
_STEPS = 100_000  # SQLite instructions between two checks for a stop: some milliseconds
_TABLES = ("row", "about", "done", "part", "suspect")
_ROW = "CREATE TABLE row (key TEXT, source INT, mark TEXT);"
_SCHEMA = f"""
{_ROW}
CREATE TABLE about (what TEXT);
CREATE TABLE done (phase TEXT PRIMARY KEY, counted INT);
CREATE TABLE part (source INT, tables TEXT, number INT, parts INT, position TEXT, after TEXT,
                   over INT, seen INT, PRIMARY KEY (source, number));
CREATE TABLE suspect (id INTEGER PRIMARY KEY, key TEXT, states TEXT, found TEXT);
"""


class Journal:
    """Checkpoint file of one operation on one ring. One process at a time may have it open.

    `about` identifies the operation: the journal of another one starts over. `resumed` is True if
    there was one to resume, and `age` the seconds since it was written last. A file that this
    program has not made is never touched. Suspects that do not have the `shape` are damage.

    Raises:
        InvalidRequestError: The file is not a journal, or another process has it open.
        OperationFailedError: The file cannot be written or is damaged; also raised at the end of
            the journal's context.
    """

    def __init__(
        self, path: Path, about: Any, *, restart: bool = False, shape: RowShape | None = None
    ) -> None:
        self.path = path
        self._shape = shape or RowShape()
        self._subject = json.dumps(about, sort_keys=True)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            is_new = not find(path)
            if is_new:
                claim(path)
            self.age = age_of(path)
            self._db = sqlite3.connect(path, timeout=0, isolation_level=None)
        except (sqlite3.Error, OSError) as error:
            raise journal_error(path, error) from error
        try:
            self._open()
            self.resumed = not is_new and not restart and self._is_about()
            if not self.resumed:
                self.start_over()
        except sqlite3.Error as error:
            self._db.close()
            raise journal_error(path, error) from error

    def _open(self) -> None:
        self._db.executescript(
            "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
            "PRAGMA temp_store=FILE; PRAGMA cache_size=-4000;"
        )

    def _is_about(self) -> bool:
        names = self._db.execute("SELECT name FROM sqlite_master WHERE name = 'about'").fetchall()
        if not names:
            return False
        return self._db.execute("SELECT what FROM about").fetchall() == [(self._subject,)]

    def start_over(self) -> None:
        """Forget all that was recorded."""
        self.resumed = False
        drops = "".join(f"DROP TABLE IF EXISTS {name};" for name in _TABLES)
        self._db.executescript(f"BEGIN EXCLUSIVE; {drops} {_SCHEMA}")
        self._db.execute("INSERT INTO about VALUES (?)", (self._subject,))
        self._db.execute("COMMIT")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        with suppress(sqlite3.Error):  # a damaged file may fail to close
            self._db.close()
        if isinstance(error, sqlite3.Error | DamageError):
            raise journal_error(self.path, error) from error

    def remove(self) -> None:
        """Delete the file: its operation is done."""
        self._db.close()
        self.path.unlink(missing_ok=True)
        for file in side_files(self.path):  # SQLite leaves them only if it failed
            file.unlink(missing_ok=True)

    # --- progress ---

    def mark_phase_done(self, phase: str, counted: int) -> None:
        """Record that a phase is done, and its count."""
        self._db.execute("INSERT INTO done VALUES (?, ?)", (phase, counted))

    def phase_count(self, phase: str) -> int | None:
        """Return the count of a phase; None: it is not done."""
        found = self._db.execute("SELECT counted FROM done WHERE phase = ?", (phase,)).fetchone()
        return None if found is None else int(found[0])

    def plan(self, parts: Iterable[ScanSegment]) -> None:
        """Record the segments to read, unless they are recorded already."""
        for part in parts:
            row = (part.source, part.segment.table, part.segment.number, part.segment.of)
            self._db.execute(
                "INSERT OR IGNORE INTO part VALUES (?, ?, ?, ?, NULL, NULL, 0, 0)", row
            )

    def parts(self) -> list[ScanSegment]:
        """Return the unfinished segments, each with the position to resume from."""
        found = self._db.execute(
            "SELECT source, tables, number, parts, position, after FROM part WHERE NOT over "
            "ORDER BY number"
        )
        return [
            ScanSegment(
                source, Segment(table, number, of), position and position_of(position), after
            )
            for source, table, number, of, position, after in found.fetchall()
        ]

    def read_count(self, source: int | None = None) -> int:
        """Return the number of items read, from all sources or from one."""
        total = "SELECT coalesce(sum(seen), 0) FROM part WHERE ?1 IS NULL OR source = ?1"
        return int(self._db.execute(total, (source,)).fetchone()[0])

    def record_page(
        self,
        part: ScanSegment,
        page: Page,
        rows: Iterable[Row] = (),
        found: Iterable[tuple[str, str | None]] = (),
    ) -> None:
        """Record a page's rows, its suspects and its segment's next position in one transaction.

        `found` has a verdict for each suspect; None: it has to be rechecked.
        """
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT INTO row VALUES (?, ?, ?)", ((key, part.source, mark) for key, mark in rows)
        )
        self._db.executemany("INSERT INTO suspect (key, found) VALUES (?, ?)", found)
        place = (part.source, part.segment.number)
        position = None if page.position is None else position_text(page.position)
        self._db.execute(
            "UPDATE part SET position = ?, after = ?, over = ?, seen = seen + ? "
            "WHERE source = ? AND number = ?",
            (position, page.after, page.is_last, len(page.items), *place),
        )
        self._db.execute("COMMIT")

    # --- sorting and suspects ---

    def keys(
        self, members: int, stop: Stop | None = None
    ) -> Iterator[tuple[str, list[KeyFingerprints]]]:
        """Yield each key with its state at each member: items are source 2n, tombstones 2n + 1.

        Raises:
            StoppedError: `stop` was requested, also while SQLite sorts.
        """
        stop = stop or Stop()
        with (
            self._interrupted(stop),
            closing(
                self._db.execute("SELECT key, source, mark FROM row ORDER BY key, source")
            ) as rows,
        ):
            for key, found in groupby(rows, key=lambda row: str(row[0])):
                stop.check()
                marks = {source: mark for _, source, mark in found}
                pairs = ((marks.get(2 * n), marks.get(2 * n + 1)) for n in range(members))
                yield key, [KeyFingerprints(*pair) for pair in pairs]

    @contextmanager
    def _interrupted(self, stop: Stop) -> Iterator[None]:
        """Have SQLite check a `stop` while it works: it may sort for minutes."""
        self._db.set_progress_handler(lambda: stop.is_asked, _STEPS)
        try:
            yield
        except sqlite3.OperationalError:
            stop.check()
            raise
        finally:
            self._db.set_progress_handler(None, 0)

    def add_suspects(
        self,
        keys: Iterable[tuple[str, Sequence[KeyFingerprints] | None]],
        phase: str,
        counted: Callable[[], int],
    ) -> None:
        """Record keys to recheck, with the state from the first read (None: not read yet).

        Ends the phase and drops the rows that were sorted for it.
        """
        self._db.execute("BEGIN")
        try:
            rows = ((key, states and json.dumps(states)) for key, states in keys)
            self._db.executemany("INSERT INTO suspect (key, states) VALUES (?, ?)", rows)
            self._db.execute("DROP TABLE row")
            self._db.execute(_ROW)
            self.mark_phase_done(phase, counted())
        except BaseException as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError) and "interrupt" in str(error):
                raise StoppedError from error
            raise
        self._db.execute("COMMIT")

    def add_results(self, found: Iterable[tuple[str, Sequence[KeyFingerprints], str]]) -> None:
        """Record keys that another worker has judged, with their states and verdicts."""
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT INTO suspect (key, states, found) VALUES (?, ?, ?)",
            ((key, json.dumps(states), verdict) for key, states, verdict in found),
        )
        self._db.execute("COMMIT")

    def clear_suspects(self) -> None:
        """Delete all suspects."""
        self._db.execute("DELETE FROM suspect")

    def remove_duplicates(self) -> None:
        """Keep each suspect once."""
        self._db.execute(
            "DELETE FROM suspect WHERE id NOT IN (SELECT min(id) FROM suspect GROUP BY key)"
        )

    def is_compared(self) -> bool:
        """Return whether a comparison is finished: every suspect has a verdict."""
        return self.phase_count(COMPARED) is not None and not self.open_suspects()

    def open_suspects(self) -> int:
        """Return the number of suspects without a verdict."""
        found = self._db.execute("SELECT count(*) FROM suspect WHERE found IS NULL")
        return int(found.fetchone()[0])

    def has_rechecked(self) -> bool:
        """Return whether a suspect without a verdict has been read before."""
        query = "SELECT 1 FROM suspect WHERE found IS NULL AND states IS NOT NULL LIMIT 1"
        return self._db.execute(query).fetchone() is not None

    def suspects(
        self, found: str | None
    ) -> Iterator[list[tuple[int, str, list[KeyFingerprints] | None]]]:
        """Yield the suspects with a verdict (None: those without one) in chunks."""
        last = 0
        while True:
            chunk = self._db.execute(
                "SELECT id, key, states FROM suspect WHERE found IS ? AND id > ? "
                "ORDER BY id LIMIT ?",
                (found, last, _CHUNK),
            ).fetchall()
            if not chunk:
                return
            last = chunk[-1][0]
            yield [suspect_of(row, self._shape) for row in chunk]

    def record_verdicts(
        self, judged: Iterable[tuple[int, Sequence[KeyFingerprints], str | None]]
    ) -> None:
        """Record the states that a recheck has read, and the verdicts (None: undecided)."""
        self._db.execute("BEGIN")
        self._db.executemany(
            "UPDATE suspect SET states = ?, found = ? WHERE id = ?",
            [(json.dumps(states), found, number) for number, states, found in judged],
        )
        self._db.execute("COMMIT")

    def record_verdict(self, found: str, rows: Iterable[int]) -> None:
        """Record one verdict on suspects."""
        self._db.execute("BEGIN")
        self._db.executemany(
            "UPDATE suspect SET found = ? WHERE id = ?", ((found, row) for row in rows)
        )
        self._db.execute("COMMIT")

    def counts(self) -> dict[str, int]:
        """Return the number of suspects per verdict."""
        rows = self._db.execute(
            "SELECT found, count(*) FROM suspect WHERE found IS NOT NULL GROUP BY found"
        )
        return {found: int(count) for found, count in rows.fetchall()}
