"""A file that an operation on a whole table keeps: how far it is, and what it must sort.

Memory stays flat whatever the table's size, and after an interruption the operation goes on where
it was: docs/decisions/0006-a-journal-on-disk.md.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import groupby
from pathlib import Path
from typing import Any, Self

from handler.model.image import Key
from operate.errors import InvalidRequestError, OperateError, OperationFailedError
from operate.reconcile.compare import MemberState
from operate.reconcile.fingerprints import Row, key_of, key_text
from operate.reconcile.journal_file import claim, find, side_files
from operate.reconcile.parallel_scan import Page, ScanSegment, Segment
from operate.stop import Stop, StoppedError

_CHUNK = 500
_STEPS = 100_000  # of SQLite, between two looks at whether to stop: some milliseconds
_TABLES = ("row", "about", "done", "part", "suspect")
_ROW = "CREATE TABLE row (key TEXT, source INT, mark TEXT);"
_SCHEMA = f"""
{_ROW}
CREATE TABLE about (what TEXT);
CREATE TABLE done (phase TEXT PRIMARY KEY, counted INT);
CREATE TABLE part (source INT, tables TEXT, number INT, parts INT, position TEXT, after TEXT,
                   over INT, seen INT, PRIMARY KEY (source, number));
CREATE TABLE suspect (id INTEGER PRIMARY KEY, key TEXT, held TEXT, found TEXT);
"""


class Journal:
    """The journal of one operation on one ring; one process at a time may have it open.

    `about` says what it is the journal of: one of anything else is begun anew. `resumed` tells
    whether there was one. A file that this program has not made is never touched. Raises
    `InvalidRequestError` for such a file and while another process has the journal,
    `OperationFailedError` where it cannot be kept or is damaged, also when the context that it is
    entered for ends.
    """

    def __init__(self, path: Path, about: Any, *, restart: bool = False) -> None:
        self.path = path
        told = json.dumps(about, sort_keys=True)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            is_new = not find(path)
            if is_new:
                claim(path)
            self._db = sqlite3.connect(path, timeout=0, isolation_level=None)
        except (sqlite3.Error, OSError) as error:
            raise self._explained(error) from error
        try:
            self._open()
            self.resumed = not is_new and not restart and self._is_about(told)
            if not self.resumed:
                self._begin(told)
        except sqlite3.Error as error:
            self._db.close()
            raise self._explained(error) from error

    def _open(self) -> None:
        self._db.executescript(
            "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
            "PRAGMA temp_store=FILE; PRAGMA cache_size=-4000;"
        )

    def _is_about(self, told: str) -> bool:
        names = self._db.execute("SELECT name FROM sqlite_master WHERE name = 'about'").fetchall()
        return bool(names) and self._db.execute("SELECT what FROM about").fetchall() == [(told,)]

    def _begin(self, told: str) -> None:
        drops = "".join(f"DROP TABLE IF EXISTS {name};" for name in _TABLES)
        self._db.executescript(f"BEGIN EXCLUSIVE; {drops} {_SCHEMA}")
        self._db.execute("INSERT INTO about VALUES (?)", (told,))
        self._db.execute("COMMIT")

    def _explained(self, error: Exception) -> OperateError:
        """The error to raise where the file cannot be read or written."""
        if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            return InvalidRequestError(f"Another command has {self.path} open. Let it end first.")
        if isinstance(error, sqlite3.OperationalError | OSError) and not _is_damage(error):
            return OperationFailedError(
                f"{self.path} cannot be written: {error}. Name another file with --journal, or "
                "make room."
            )
        return OperationFailedError(
            f"{self.path} is damaged: {error}. What it had noted is lost: delete it, and the same "
            "command begins from the start, which does no harm to what is done."
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        with suppress(sqlite3.Error):  # what is damaged may not close in order
            self._db.close()
        if isinstance(error, sqlite3.Error | _DamageError):
            raise self._explained(error) from error

    def remove(self) -> None:
        """Delete it: what it was for is done."""
        self._db.close()
        self.path.unlink(missing_ok=True)
        for file in side_files(self.path):  # SQLite's, which it leaves only where it fails
            file.unlink(missing_ok=True)

    # --- how far it is ------------------------------------------------------------------------

    def mark_phase_done(self, phase: str, counted: int) -> None:
        """Note that a phase is over, and what was counted in it."""
        self._db.execute("INSERT INTO done VALUES (?, ?)", (phase, counted))

    def phase_count(self, phase: str) -> int | None:
        """What was counted in a phase; None: it is not over."""
        found = self._db.execute("SELECT counted FROM done WHERE phase = ?", (phase,)).fetchone()
        return None if found is None else int(found[0])

    def plan(self, parts: Iterable[ScanSegment]) -> None:
        """Note which segments are to be read, unless that is known already."""
        for one in parts:
            row = (one.source, one.segment.table, one.segment.number, one.segment.of)
            self._db.execute(
                "INSERT OR IGNORE INTO part VALUES (?, ?, ?, ?, NULL, NULL, 0, 0)", row
            )

    def parts(self) -> list[ScanSegment]:
        """The segments that are not read to their end, each from where it was."""
        found = self._db.execute(
            "SELECT source, tables, number, parts, position, after FROM part WHERE NOT over "
            "ORDER BY number"
        )
        return [
            ScanSegment(source, Segment(table, number, of), position and _position(position), after)
            for source, table, number, of, position, after in found.fetchall()
        ]

    def read_count(self, source: int | None = None) -> int:
        """How many items have been read, of all sources or of one."""
        total = "SELECT coalesce(sum(seen), 0) FROM part WHERE ?1 IS NULL OR source = ?1"
        return int(self._db.execute(total, (source,)).fetchone()[0])

    def record_page(
        self,
        part: ScanSegment,
        page: Page,
        rows: Iterable[Row] = (),
        found: Iterable[tuple[str, str | None]] = (),
    ) -> None:
        """Keep a page's rows, what was found of keys, and where its segment goes on, at once.

        What was found may be None: another look must tell.
        """
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT INTO row VALUES (?, ?, ?)", ((key, part.source, mark) for key, mark in rows)
        )
        self._db.executemany("INSERT INTO suspect (key, found) VALUES (?, ?)", found)
        place = (part.source, part.segment.number)
        position = None if page.position is None else _text(page.position)
        self._db.execute(
            "UPDATE part SET position = ?, after = ?, over = ?, seen = seen + ? "
            "WHERE source = ? AND number = ?",
            (position, page.after, page.is_last, len(page.items), *place),
        )
        self._db.execute("COMMIT")

    # --- what it sorts ------------------------------------------------------------------------

    def keys(
        self, members: int, stop: Stop | None = None
    ) -> Iterator[tuple[str, list[MemberState]]]:
        """Each key with what the members hold of it: items are source 2n, tombstones 2n + 1.

        Raises `StoppedError` when the `stop` is asked for, also while it sorts.
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
                yield (
                    key,
                    [MemberState(marks.get(2 * n), marks.get(2 * n + 1)) for n in range(members)],
                )

    @contextmanager
    def _interrupted(self, stop: Stop) -> Iterator[None]:
        """Have SQLite look at a `stop` while it works: it may sort for minutes."""
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
        keys: Iterable[tuple[str, Sequence[MemberState] | None]],
        phase: str,
        counted: Callable[[], int],
    ) -> None:
        """Keep keys for another look, with what was seen of them at the first (None: nothing yet).

        The phase is over then, and what was sorted for it is dropped.
        """
        self._db.execute("BEGIN")
        try:
            rows = ((key, held and json.dumps(held)) for key, held in keys)
            self._db.executemany("INSERT INTO suspect (key, held) VALUES (?, ?)", rows)
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

    def add_results(self, found: Iterable[tuple[str, Sequence[MemberState], str]]) -> None:
        """Keep keys of which others found what they are, with what members hold of them."""
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT INTO suspect (key, held, found) VALUES (?, ?, ?)",
            ((key, json.dumps(held), what) for key, held, what in found),
        )
        self._db.execute("COMMIT")

    def clear_suspects(self) -> None:
        """Drop all suspects."""
        self._db.execute("DELETE FROM suspect")

    def merge(self) -> None:
        """Keep each suspect once."""
        self._db.execute(
            "DELETE FROM suspect WHERE id NOT IN (SELECT min(id) FROM suspect GROUP BY key)"
        )

    def open_suspects(self) -> int:
        """How many suspects are not yet judged."""
        found = self._db.execute("SELECT count(*) FROM suspect WHERE found IS NULL")
        return int(found.fetchone()[0])

    def has_rechecked(self) -> bool:
        """Whether suspects that are not yet judged have been seen before."""
        some = "SELECT 1 FROM suspect WHERE found IS NULL AND held IS NOT NULL LIMIT 1"
        return self._db.execute(some).fetchone() is not None

    def suspects(
        self, found: str | None
    ) -> Iterator[list[tuple[int, str, list[MemberState] | None]]]:
        """The suspects that were found to be so (None: not yet judged), some at a time."""
        last = 0
        while True:
            chunk = self._db.execute(
                "SELECT id, key, held FROM suspect WHERE found IS ? AND id > ? ORDER BY id LIMIT ?",
                (found, last, _CHUNK),
            ).fetchall()
            if not chunk:
                return
            last = chunk[-1][0]
            yield [(number, key, held and _held(held)) for number, key, held in chunk]

    def record_verdicts(
        self, judged: Iterable[tuple[int, Sequence[MemberState], str | None]]
    ) -> None:
        """Keep what was seen at a look, and what it was found to be; None: not yet known."""
        self._db.execute("BEGIN")
        self._db.executemany(
            "UPDATE suspect SET held = ?, found = ? WHERE id = ?",
            [(json.dumps(held), found, number) for number, held, found in judged],
        )
        self._db.execute("COMMIT")

    def record_outcomes(self, became: Iterable[tuple[int, str]]) -> None:
        """Keep what has become of suspects."""
        self._db.execute("BEGIN")
        self._db.executemany(
            "UPDATE suspect SET found = ? WHERE id = ?", ((found, row) for row, found in became)
        )
        self._db.execute("COMMIT")

    def counts(self) -> dict[str, int]:
        """How many suspects were found to be what."""
        rows = self._db.execute(
            "SELECT found, count(*) FROM suspect WHERE found IS NOT NULL GROUP BY found"
        )
        return {found: int(count) for found, count in rows.fetchall()}


class _DamageError(Exception):
    """Something in the file is not what was written there."""


def _is_damage(error: Exception) -> bool:
    """Whether an error that SQLite calls operational is one of what it has read."""
    return isinstance(error, sqlite3.OperationalError) and any(
        words in str(error) for words in ("no such table", "no such column", "decode")
    )


def _held(text: str) -> list[MemberState]:
    try:
        return [MemberState(*one) for one in json.loads(text)]
    except (ValueError, TypeError) as error:
        raise _DamageError(f"{text[:100]!r} is not what members hold of a key") from error


def _text(position: Key) -> str:
    """A position as a text: the names of its attributes, and their values beside them.

    No name stands where something of the journal's own could stand.
    """
    names = list(position)
    return json.dumps([names, key_text(position, names)])


def _position(text: str) -> Key:
    try:
        names, values = json.loads(text)
        return key_of(values, names)
    except (ValueError, TypeError) as error:
        raise _DamageError(f"{text[:100]!r} is no position in a table") from error
