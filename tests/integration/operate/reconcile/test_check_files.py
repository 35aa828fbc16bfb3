"""The files of a check: keys that it reads, and the report that it writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from automate import main
from local.ring import LocalRing
from tests.support.local_rings import PATIENCE, REGIONS, item, put, ring_of
from tests.support.whole_tables import lead_to


@pytest.fixture(scope="module")
def running() -> Iterator[LocalRing]:
    with ring_of(3) as three:
        put(three, REGIONS[0], item("k7", v={"S": "same"}))
        three.wait_until_quiet(PATIENCE)
        yield three


@pytest.fixture
def ring(running: LocalRing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> LocalRing:
    lead_to(running, monkeypatch, tmp_path)
    return running


def command(*arguments: str, keys: str | None = None) -> Result:
    given = ("check", "--stack", "dev", "--settle-seconds", "0.1", *arguments)
    return CliRunner().invoke(main, given, input=keys)


def test_a_key_that_is_named_twice_counts_once(ring: LocalRing) -> None:
    result = command("--keys", "-", "--json", keys='{"id": "k7"}\n{"id": {"S": "k7"}}\n')
    (found,) = json.loads(result.stdout)["rings"]
    assert (found["in_sync"], found["compared"]) == (True, 1)


def test_named_keys_are_compared_in_each_of_several_rings(ring: LocalRing, tmp_path: Path) -> None:
    settings = {
        "table": {"name": "orders", "partition_key": {"name": "id", "type": "S"}},
        "members": [{"region": region} for region in REGIONS[:3]],
    }
    file = tmp_path / "rings.yaml"
    rings = [{"name": name, "settings": settings} for name in ("one", "two")]
    file.write_text(json.dumps({"rings": rings}))
    given = ("check", "--file", str(file), "--settle-seconds", "0.1", "--keys", "-", "--json")
    result = CliRunner().invoke(main, given, input='{"id": "k7"}\n')
    assert [one["compared"] for one in json.loads(result.stdout)["rings"]] == [1, 1]


def test_keys_that_are_no_text_are_wrong_use(ring: LocalRing, tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_bytes(b"\xff\n")
    result = command("--keys", str(file), "--json")
    assert (result.exit_code, json.loads(result.stdout)["error"]["kind"]) == (2, "invalid")


def test_a_report_is_of_this_check_even_if_nothing_differs(ring: LocalRing, tmp_path: Path) -> None:
    report = tmp_path / "report.jsonl"
    report.write_text("of another day\n")
    result = command("--keys", "-", "--report", str(report), keys='{"id": "k7"}\n')
    assert (result.exit_code, report.read_text()) == (0, "")


def test_a_report_that_cannot_be_written_is_an_error_before_anything_is_read(
    ring: LocalRing, tmp_path: Path
) -> None:
    before = ring.meter.read().count(["Scan"])
    result = command("--report", str(tmp_path / "no folder" / "report.jsonl"), "--json")
    assert (result.exit_code, json.loads(result.stdout)["error"]["kind"]) == (2, "invalid")
    assert ring.meter.read().count(["Scan"]) == before
