"""A journal's file is this program's own: any other is refused, untouched, with the reason."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from operate.errors import InvalidRequestError, OperationFailedError
from operate.reconcile.journal import Journal
from operate.reconcile.journal_file import claim
from operate.reconcile.parallel_scan import Page, ScanSegment, Segment

PART = ScanSegment(0, Segment("t", 0, 1))


def database(path: Path, *statements: str) -> None:
    """Make another program's SQLite database."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute('CREATE TABLE "notes; DROP TABLE notes" (mine TEXT)')
        db.execute('INSERT INTO "notes; DROP TABLE notes" VALUES (?)', ("dear to me",))
        for statement in statements:
            db.execute(statement)


def journal_like(path: Path) -> None:
    """Make a database with a journal's own tables, that says it is of the same thing."""
    database(path, "CREATE TABLE about (what TEXT)", "INSERT INTO about VALUES ('\"x\"')")


OTHERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "text": (
        lambda path: path.write_text("mine, and no database at all"),
        "not an SQLite database",
    ),
    "nothing in it": (lambda path: path.touch(), "it is empty"),
    "database": (database, "another program made it"),
    "in WAL mode": (
        lambda path: database(path, "PRAGMA journal_mode=WAL"),
        "another program made it",
    ),
    "like a journal": (journal_like, "another program made it"),
    "a piece": (
        lambda path: path.write_bytes(b"SQLite format 3\0" + b"\0" * 20),
        "ends within its header",
    ),
}


def seen(folder: Path) -> dict[str, tuple[bytes, int]]:
    """All files of a folder, with what is in them and when they were written."""
    return {one.name: (one.read_bytes(), one.stat().st_mtime_ns) for one in folder.iterdir()}


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("other", OTHERS)
def test_a_file_that_is_no_journal_is_refused_and_not_touched(
    tmp_path: Path, other: str, restart: bool
) -> None:
    make, words = OTHERS[other]
    path = tmp_path / "precious"
    make(path)
    os.utime(path, (1, 1))
    before = seen(tmp_path)
    with pytest.raises(InvalidRequestError, match=words) as refused:
        Journal(path, "x", restart=restart)
    assert str(path) in str(refused.value)
    assert "--journal" in str(refused.value)
    assert seen(tmp_path) == before


@pytest.mark.parametrize("end", ["-wal", "-journal", "-shm"])
def test_a_file_that_sqlite_would_take_for_its_own_is_not_touched(tmp_path: Path, end: str) -> None:
    beside = tmp_path / f"j{end}"
    beside.write_text("mine")
    with pytest.raises(InvalidRequestError, match="exists without"):
        Journal(tmp_path / "j", "x")
    assert seen(tmp_path).keys() == {f"j{end}"}
    assert beside.read_text() == "mine"


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match="is not a file"):
        Journal(tmp_path, "x")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(InvalidRequestError, match="is not a file"):
        Journal(pipe, "x")


def test_a_journal_of_another_version_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "j"
    Journal(path, "x").__exit__(None, None, None)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA user_version=99")
    before = seen(tmp_path)
    with pytest.raises(InvalidRequestError, match=r"another version of this program \(99; "):
        Journal(path, "x")
    assert seen(tmp_path) == before


@pytest.mark.parametrize("path", ["file/j", "/proc/j"])
def test_where_no_file_can_be_made_it_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    with pytest.raises(OperationFailedError, match=r"cannot be written: .*--journal"):
        Journal(Path(path), "x")


def filled(path: Path) -> None:
    """A journal with a few pages of its file in use."""
    with Journal(path, "x") as journal:
        journal.plan([PART])
        rows = [(f"key {number}" * 20, "mark") for number in range(500)]
        journal.record_page(PART, Page([{"k": {"S": "a"}}], {"k": {"S": "a"}}), rows)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def spoilt(path: Path) -> None:
    """Leave the header and spoil all else."""
    with path.open("r+b") as file:
        file.seek(100)
        file.write(os.urandom(path.stat().st_size - 100))


def misread(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("UPDATE part SET position = '{'")


@pytest.mark.parametrize("damage", [cut, spoilt, misread])
def test_a_damaged_journal_is_reported(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    path = tmp_path / "j"
    filled(path)
    damage(path)

    def go_on() -> None:
        with Journal(path, "x") as journal:
            journal.plan([PART])
            journal.parts()
            list(journal.keys(1))
            journal.remove()

    with pytest.raises(OperationFailedError, match=r"j is damaged: .*delete it"):
        go_on()
    assert path.exists()


def test_a_journal_that_another_process_has_open_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "j"
    holds = (
        "import sys; from pathlib import Path; from operate.reconcile.journal import Journal\n"
        "with Journal(Path(sys.argv[1]), 'x'): print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holds, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(InvalidRequestError, match=r"Another command has .*j open"):
            Journal(path, "x")
        other.communicate()
    with Journal(path, "x") as journal:
        assert journal.resumed


def test_a_killed_command_leaves_a_journal_that_can_be_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "j"
    dies = (
        "import os, sys; from pathlib import Path\n"
        "from tests.integration.operate.test_journal_file import PART, Journal, Page\n"
        "with Journal(Path(sys.argv[1]), 'x') as journal:\n"
        "    journal.plan([PART])\n"
        "    journal.record_page(PART, Page([{'k': {'S': 'a'}}], {'k': {'S': 'a'}}))\n"
        "    os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", dies, str(path)], check=False).returncode == 9
    with Journal(path, "x") as journal:
        assert journal.resumed
        assert [part.position for part in journal.parts()] == [{"k": {"S": "a"}}]


def test_ctrl_c_while_a_journal_is_created_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("operate.reconcile.journal_file.sqlite3.connect", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Journal(tmp_path / "j", "x")
    assert list(tmp_path.iterdir()) == []


def test_one_that_was_claimed_and_not_begun_is_begun(tmp_path: Path) -> None:
    claim(tmp_path / "j")
    with Journal(tmp_path / "j", "x") as journal:
        assert not journal.resumed
        assert journal.parts() == []
        journal.remove()
    assert list(tmp_path.iterdir()) == []
