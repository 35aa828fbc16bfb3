"""Quarantined records that are not to be replayed are deleted, and printed before."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from automate import main
from commands.output.screen import Screen
from local.ring import LocalRing
from operate.quarantine.bucket import QuarantineBucket
from ring.project import PROJECT_ROOT
from tests.support.local_rings import ring_of
from tests.support.quarantined_ring import buckets, drop_index, entries, quarantine_items, redrive

_keys = itertools.count()


@pytest.fixture(scope="module")
def running() -> Iterator[LocalRing]:
    with ring_of(2) as two:
        yield two


@pytest.fixture
def ring(running: LocalRing) -> LocalRing:
    """A ring of two with two new records in its quarantine."""
    quarantine_items(running, *(str(next(_keys)) for _ in range(2)))
    drop_index(running)
    return running


def discard(ring: LocalRing, *arguments: str, answer: str | None = None) -> Result:
    given = ["discard", "--local", ring.endpoint, *arguments]
    return CliRunner().invoke(main, given, input=answer, catch_exceptions=False)


def ids(ring: LocalRing) -> list[str]:
    return [entry["id"] for entry in entries(ring)]


def before_deleting(monkeypatch: pytest.MonkeyPatch, act: Callable[[str], object]) -> None:
    """Call this with the ID of each entry before it is deleted."""
    real = QuarantineBucket.remove

    def remove(bucket: QuarantineBucket, name: str) -> None:
        act(name)
        real(bucket, name)

    monkeypatch.setattr(QuarantineBucket, "remove", remove)


def test_a_record_is_printed_and_then_deleted_and_the_others_stay(ring: LocalRing) -> None:
    first, *others = entries(ring)
    ended = discard(ring, first["id"], "--yes", "--json")
    assert ended.exit_code == 0
    (document,) = json.loads(ended.stdout)["entries"]
    assert document["holds"]["record"]["dynamodb"]["Keys"] == first["keys"][0]
    assert ids(ring) == [entry["id"] for entry in others]


@pytest.mark.parametrize("name", ["notes.txt", ""])
def test_an_object_that_is_not_listed_is_not_in_the_quarantine(ring: LocalRing, name: str) -> None:
    (bucket, s3), *_ = buckets(ring)
    s3.put_object(Bucket=bucket, Key="notes.txt", Body=b"{}")
    for ended in (discard(ring, name, "--yes"), redrive(ring, "--show", name or "?")):
        assert (ended.exit_code, "not in the quarantine" in ended.output) == (2, True), ended.output
    assert s3.get_object(Bucket=bucket, Key="notes.txt")["ContentLength"] == 2


def test_it_asks_and_a_no_deletes_nothing(ring: LocalRing, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ids(ring)
    monkeypatch.setattr(Screen, "is_interactive", True)  # as at a terminal
    refused = discard(ring, before[0], answer="n\n")
    assert refused.exit_code == 1
    assert '"NewImage"' in refused.output
    assert ids(ring) == before
    assert discard(ring, before[0], answer="y\n").exit_code == 0
    assert ids(ring) == before[1:]


def test_without_a_terminal_it_wants_yes_and_deletes_nothing(ring: LocalRing) -> None:
    before = ids(ring)
    ended = discard(ring, before[0])
    assert (ended.exit_code, "--yes" in ended.output) == (2, True)
    assert ids(ring) == before


def test_with_one_unknown_id_nothing_is_deleted(ring: LocalRing) -> None:
    before = ids(ring)
    ended = discard(ring, before[0], "quarantine/none.json", "--yes")
    assert ended.exit_code == 2
    assert "quarantine/none.json: not in the quarantine" in ended.output
    assert ids(ring) == before


@pytest.mark.parametrize("failing", [0, 1], ids=["the first", "the second"])
@pytest.mark.parametrize(
    "as_json",
    [pytest.param(True, id="json"), pytest.param(False, id="text", marks=pytest.mark.long)],
)
def test_if_a_delete_fails_all_were_printed_before_and_it_says_which_were_deleted(
    ring: LocalRing, monkeypatch: pytest.MonkeyPatch, failing: int, as_json: bool
) -> None:
    first, second, *others = before = ids(ring)
    kept = {entry["id"]: entry["keys"][0] for entry in entries(ring)}

    def fail(name: str) -> None:
        if name == before[failing]:
            error: Any = {"Code": "SlowDown", "Message": "Please reduce your request rate."}
            raise ClientError({"Error": error}, "DeleteObject")

    before_deleting(monkeypatch, fail)
    ended = discard(ring, first, second, "--yes", *(["--json"] if as_json else []))
    assert ended.exit_code == 1
    if as_json:
        printed = json.loads(ended.stdout)["entries"]
        keys = [one["holds"]["record"]["dynamodb"]["Keys"] for one in printed]
        assert keys == [kept[first], kept[second]]
    assert all(f'"id": "{name}"' in ended.stdout for name in (first, second))
    assert "Please reduce your request rate" in ended.stderr
    assert f"Deleted: {', '.join(before[:failing]) or 'none'}\n" in ended.stderr
    assert f"Still in the quarantine: {', '.join(before[failing:2])}\n" in ended.stderr
    assert ids(ring) == before[failing:2] + others


def test_ctrl_c_between_two_deletes_says_what_was_deleted_and_the_rest_stays(
    ring: LocalRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, *others = ids(ring)
    before_deleting(monkeypatch, lambda _: signal.raise_signal(signal.SIGINT))
    ended = discard(ring, first, second, "--yes", "--json")
    assert ended.exit_code == 1
    assert [one["id"] for one in json.loads(ended.stdout)["entries"]] == [first, second]
    assert f"Deleted: {first}\nStill in the quarantine: {second}\n" in ended.stderr
    assert ids(ring) == [second, *others]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize(
    "flags",
    [
        pytest.param(["--yes", "--json"], id="json"),
        pytest.param(["--yes"], id="text", marks=pytest.mark.long),
    ],
)
def test_what_cannot_be_printed_is_not_deleted(ring: LocalRing, flags: list[str]) -> None:
    before = ids(ring)
    with Path("/dev/full").open("w") as full:
        ended = run(ring, before[0], *flags, stdout=full.fileno())
    assert ended.returncode == 1
    assert "No space left on device. Nothing was deleted." in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ids(ring) == before


@pytest.mark.long
@pytest.mark.parametrize("flags", [["--yes", "--json"], ["--yes"]], ids=["json", "text"])
def test_nor_is_what_nobody_reads(ring: LocalRing, flags: list[str]) -> None:
    before = ids(ring)
    with subprocess.Popen(["true"], stdin=subprocess.PIPE) as reader:
        reader.wait()
        assert reader.stdin
        ended = run(ring, before[0], *flags, stdout=reader.stdin.fileno())
    assert ended.returncode == 1
    assert "Nothing was deleted." in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ids(ring) == before


@pytest.mark.long
@pytest.mark.parametrize("flags", [["--yes", "--json"], ["--yes"]], ids=["json", "text"])
def test_nor_is_what_the_encoding_of_stdout_does_not_have(
    ring: LocalRing,
    put_object: Callable[[bytes], str],
    monkeypatch: pytest.MonkeyPatch,
    flags: list[str],
) -> None:
    put_object("no JSON, é".encode())
    before = ids(ring)
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    ended = run(ring, "quarantine/odd.json", *flags, stdout=subprocess.DEVNULL)
    assert ended.returncode == 1
    assert "Nothing was deleted." in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ids(ring) == before


def run(ring: LocalRing, *arguments: str, stdout: int) -> subprocess.CompletedProcess[str]:
    """Run the command as a process."""
    command = [sys.executable, str(PROJECT_ROOT / "automate.py"), "discard"]
    given = [*command, "--local", ring.endpoint, *arguments]
    return subprocess.run(given, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False)


@pytest.fixture
def put_object(ring: LocalRing) -> Iterator[Callable[[bytes], str]]:
    """Put an object into the quarantine, and return the command that copies it."""
    (name, s3), *_ = buckets(ring)

    def put(body: bytes) -> str:
        s3.put_object(Bucket=name, Key="quarantine/odd.json", Body=body)
        return f"aws s3 cp s3://{name}/quarantine/odd.json ."

    yield put
    s3.delete_object(Bucket=name, Key="quarantine/odd.json")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"x" * 1_200_000, "it is cut after 100,000 of its 1,200,000 bytes"),
        (b"\xff" * 10, "its 10 bytes are not UTF-8"),
    ],
)
def test_what_cannot_be_printed_whole_is_not_deleted_and_it_says_how_to_keep_it(
    ring: LocalRing, put_object: Callable[[bytes], str], body: bytes, reason: str
) -> None:
    copy = put_object(body)
    before = ids(ring)
    good = next(name for name in before if name != "quarantine/odd.json")
    ended = discard(ring, good, "quarantine/odd.json", "--yes")
    assert ended.exit_code == 2
    assert all(text in ended.stderr for text in (reason, copy, "Nothing was deleted."))
    assert ids(ring) == before
    shown = redrive(ring, "--show", "quarantine/odd.json")
    assert json.loads(shown.stdout)
    assert all(text in shown.stderr for text in (reason, copy))
    as_json = json.loads(redrive(ring, "--show", "quarantine/odd.json", "--json").stdout)
    assert reason in as_json["missing"]


def test_what_is_not_understood_but_printed_whole_is_deleted(
    ring: LocalRing, put_object: Callable[[bytes], str]
) -> None:
    put_object("no JSON, é".encode())
    assert redrive(ring, "--show", "quarantine/odd.json").stderr == ""
    ended = discard(ring, "quarantine/odd.json", "--yes", "--json")
    assert ended.exit_code == 0
    assert json.loads(ended.stdout)["entries"][0]["holds"] == "no JSON, é"
    assert "quarantine/odd.json" not in ids(ring)
