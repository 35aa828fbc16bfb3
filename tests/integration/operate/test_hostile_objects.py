"""Objects that anybody may have put into a bucket: each is reported, and none stops the rest."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from moto import mock_aws

import operate.distributed.results as results_module
from commands.output.quarantined_entries import format_row
from commands.output.screen import Screen
from handler.quarantine import place_of
from operate.distributed.results import collect_backfill, collect_check, put_result, results
from operate.errors import OperationFailedError
from operate.quarantine.bucket import Entry, QuarantineBucket
from operate.quarantine.catalogue import RedriveList
from operate.quarantine.listing import QuarantinedEntry
from operate.reconcile.journal import Journal
from operate.reconcile.journal_values import RowShape
from operate.untrusted_json import MalformedJsonError, read_json
from tests.support.stream_records import record

NAME, HOP = "ring-quarantine", "us-east-1 -> eu-west-1"
PLACE = place_of(NAME, "123456789012")
ABOUT: dict[str, Any] = {
    "table": "orders",
    "key": {"k": {"S": "1"}},
    "hop": HOP,
    "time": "2026-01-01T00:00:00Z",
    "reason": "too large",
    "error": "that day",
    "record": record(1),
}
BATCH: dict[str, Any] = {
    "requestContext": {"condition": "RetryAttemptsExhausted", "approximateInvokeCount": 7},
    "timestamp": "2026-01-01T00:00:00Z",
    "payload": json.dumps({"Records": [record(1)]}),
}
DEEP = b"[" * 200_000 + b"]" * 200_000


def with_raw(name: str, raw: bytes, about: Any = ABOUT) -> bytes:
    """An object in which the value of a field is this text."""
    return json.dumps({**about, name: "@"}).encode().replace(b'"@"', raw)


def timed(raw: bytes) -> bytes:
    """An object whose record was made at the time that this text says."""
    poison = record(1, ApproximateCreationDateTime="@")
    return json.dumps({**ABOUT, "record": poison}).encode().replace(b'"@"', raw)


HOSTILE: dict[str, tuple[bytes, str]] = {
    "quarantine/deep": (DEEP, "nested too deeply"),
    "quarantine/deep-record": (with_raw("record", DEEP), "nested too deeply"),
    "quarantine/rather-deep": (
        with_raw("record", b'{"a":' * 150 + b"1" + b"}" * 150),
        "100 levels",
    ),
    "quarantine/digits": (timed(b"9" * 400), "a number of 400 digits"),
    "quarantine/many-digits": (timed(b"9" * 5000), "a number of 5000 digits"),
    "quarantine/exponent": (timed(b"1e999"), "1e999, which is not a finite number"),
    "quarantine/nan": (timed(b"NaN"), "NaN, which is not a finite number"),
    "quarantine/time": (with_raw("time", b'"%s"' % (b"9" * 400)), "its time is none"),
    "quarantine/no-time": (with_raw("time", b"null"), "`time` is null, not text"),
    "quarantine/year": (with_raw("time", b'"0000-01-01"'), "its time is none"),
    "quarantine/latin": ("{'caf\xe9'}".encode("latin-1"), "it is not JSON"),
    "quarantine/utf-16": (b"\xff\xfe{\x00", "it is not JSON"),
    "quarantine/half": (with_raw("reason", b'"\\ud800"'), "half a character"),
    "quarantine/empty": (b"", "it is not JSON"),
    "quarantine/list": (b"[]", "it is a list, not an object"),
    "quarantine/text": (b'"text"', "it is text, not an object"),
    "quarantine/no-hop": (b"{}", "it has no `hop`"),
    "quarantine/hop": (with_raw("hop", b"[]"), "`hop` is a list, not text"),
    "quarantine/record": (with_raw("record", b"7"), "`record` is a whole number, not an object"),
    "quarantine/large": (b" " * 24_000_001, "it is larger than 24 MB"),
    "aws/lambda/batch": (b'{"payload": []}', "it has no `requestContext`"),
    "aws/lambda/context": (with_raw("requestContext", b'"x"', BATCH), "`requestContext` is text"),
    "aws/lambda/no-records": (with_raw("payload", b'"{}"', BATCH), "it has no `Records`"),
    "aws/lambda/records": (with_raw("payload", b'"{\\"Records\\": 1}"', BATCH), "`Records` is a"),
    "aws/lambda/a-record": (with_raw("payload", b'{"Records": [1]}', BATCH), "a whole number"),
    "aws/lambda/payload": (with_raw("payload", b'"%s"' % DEEP, BATCH), "nested too deeply"),
}
GOOD = {
    "quarantine/0-good": json.dumps(ABOUT).encode(),
    "quarantine/odd-keys": json.dumps({**ABOUT, "record": record(1, Keys={"k": "x"})}).encode(),
    "quarantine/zz-good": json.dumps(ABOUT).encode(),
    "aws/lambda/zz-good": json.dumps(BATCH).encode(),
}


@pytest.fixture(scope="module")
def bucket() -> Iterator[QuarantineBucket]:
    with mock_aws():
        s3: Any = boto3.client("s3", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        s3.create_bucket(Bucket=NAME)
        for name, body in {**GOOD, **{name: body for name, (body, _) in HOSTILE.items()}}.items():
            s3.put_object(Bucket=NAME, Key=name, Body=body)
        yield QuarantineBucket(s3, NAME, HOP, "orders")


@pytest.fixture(scope="module")
def entries(bucket: QuarantineBucket) -> dict[str, Entry]:
    return {entry.id: entry for entry in bucket.entries()}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_cannot_be_understood_is_listed_with_the_reason(
    entries: dict[str, Entry], name: str
) -> None:
    entry = entries[name]
    assert (entry.reason, entry.records, entry.keys) == ("not understood", (), [])
    assert HOSTILE[name][1] in entry.error
    assert len(entry.error) <= 300
    shown = format_row(entry.summary())
    assert str(shown[3]).startswith("not understood: ")


def test_the_rest_is_listed_beside_it(entries: dict[str, Entry]) -> None:
    assert entries.keys() == HOSTILE.keys() | GOOD.keys()
    assert [entries[name].reason for name in GOOD] == [
        "too large",
        "too large",
        "too large",
        "RetryAttemptsExhausted",
    ]


def test_what_is_not_kept_whole_says_so(entries: dict[str, Entry]) -> None:
    replaced = "bytes are not UTF-8, and those that are not are replaced"
    large = {name: len(body) for name, (body, _) in HOSTILE.items() if len(body) > 100_000}
    assert {name: entry.missing for name, entry in entries.items() if entry.missing} == {
        **{name: f"it is cut after 100,000 of its {size:,} bytes" for name, size in large.items()},
        "quarantine/latin": f"its 8 {replaced}",
        "quarantine/utf-16": f"its 4 {replaced}",
    }


def test_all_of_them_are_kept_in_a_catalogue_and_written_as_json(
    bucket: QuarantineBucket, entries: dict[str, Entry]
) -> None:
    hop: Any = "any hop"
    kept = RedriveList(QuarantinedEntry(entry, hop) for entry in bucket.entries())
    assert [about["id"] for about in kept] == sorted(HOSTILE.keys() | GOOD.keys())
    for entry in entries.values():
        assert json.dumps(entry.document, indent=2, ensure_ascii=False).encode()


def test_memory_is_bounded_whatever_is_in_the_bucket(
    bucket: QuarantineBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("operate.quarantine.bucket._LARGEST", 1_000_000)
    tracemalloc.start()
    try:
        (entry,) = bucket.read(["quarantine/large"])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "larger than 1 MB" in entry.error
    # What moto itself keeps of an object of 24 MB is not counted in: it was there before.
    assert peak < 30_000_000


def test_an_object_that_s3_does_not_give_out_is_listed_too(bucket: QuarantineBucket) -> None:
    def get_object(Key: str, **_: Any) -> Any:  # noqa: N803
        code = Key.removeprefix("quarantine/")
        raise ClientError({"Error": {"Code": code, "Message": "?"}}, "GetObject")

    client: Any = SimpleNamespace(exceptions=bucket.client.exceptions, get_object=get_object)
    locked = QuarantineBucket(client, NAME, HOP, "orders")
    # Archived; with a key of the customer's; with a key of KMS's that is off; with another's.
    names = ["InvalidObjectState", "InvalidRequest", "KMS.DisabledException", "AccessDenied"]
    found = list(locked.read(names))
    assert [entry.id for entry in found] == names
    assert {entry.reason for entry in found} == {"not understood"}
    assert "InvalidObjectState" in found[0].error
    assert "S3 does not return it: " in found[0].missing
    with pytest.raises(ClientError, match="SlowDown"):
        list(locked.read(["SlowDown"]))
    # Where one may not list a bucket, S3 denies what is not there.
    with pytest.raises(ClientError, match="AccessDenied"):
        locked.entry("quarantine/AccessDenied")


def test_a_list_has_no_codes_for_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(as_json=False)
    screen.table(["id"], [["a\x1b[2J\nb\x9b"]])
    screen.print("c\x1b]0;title\x07\nd")
    assert capsys.readouterr().out == "id\na\\x1b[2J\\nb\\x9b\nc\\x1b]0;title\\x07\nd\n"


def test_what_is_printed_has_no_word_replaced_by_a_picture(
    capsys: pytest.CaptureFixture[str],
) -> None:
    screen = Screen(as_json=False)
    screen.print("12:on:30 :smile: [bold]x[/bold]")
    screen.table(["id"], [[":smile:"]])
    assert capsys.readouterr().out == "12:on:30 :smile: [bold]x[/bold]\nid\n:smile:\n"


def test_what_is_read_can_be_written_again() -> None:
    value = {"a": [1, 2.5, None, True, "é😀"], "deep": [[[[]]]]}
    assert read_json(json.dumps(value)) == value
    assert read_json(b"[" * 99 + b"]" * 99)
    with pytest.raises(MalformedJsonError):
        read_json(b"[" * 101 + b"]" * 101)


# --- the results of --distributed ---------------------------------------------------------------

FIRST = {"source": 0, "number": 0, "over": True, "read": 3, "units": 1.5}
FOUND = ['[{"S":"1"}]', [["mark", None], [None, None]], "missing"]


def result_of(*lines: Any, about: Any = FIRST) -> Any:
    """A bucket with the result of one call, of these lines."""
    raw = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in (about, *lines)]
    return with_object(b"\n".join(raw) + b"\n")


def with_object(body: bytes) -> Any:
    pages = SimpleNamespace(paginate=lambda **_: [{"Contents": [{"Key": "run/0-0-0.jsonl"}]}])

    def get_object(**_: Any) -> Any:
        return {"Body": StreamingBody(BytesIO(body), len(body))}

    return SimpleNamespace(get_paginator=lambda _: pages, get_object=get_object)


def test_results_as_they_are_written_are_taken(tmp_path: Path) -> None:
    kept: dict[str, Any] = {}
    client = SimpleNamespace(put_object=lambda **put: kept.update(body=put["Body"].read()))
    put_result(client, PLACE, "run/0-0-0.jsonl", FIRST, [FOUND])
    with Journal(tmp_path / "journal", "check") as journal:
        checked, units = collect_check(results(with_object(kept["body"]), PLACE, "run"), journal)
    assert (checked.found, units) == ({"missing": 1}, 1.5)


@pytest.mark.parametrize(
    ("client", "reason"),
    [
        (with_object(DEEP), "nested too deeply"),
        (with_object(b"\xff"), "it is not JSON"),
        (with_object(b""), "it is null, not an object"),
        (with_object(b" " * 3_000_000), "a line is longer than"),
        (result_of(about={**FIRST, "over": 1}), "`over` is a whole number, not a boolean"),
        (result_of(about={**FIRST, "units": "many"}), "its units are no number"),
        (result_of(about={**FIRST, "units": None, "read": 10}), "its units are no number"),
        (result_of(DEEP), "nested too deeply"),
        (result_of(b'{"half'), "it is not JSON"),
        (result_of(FOUND, "text"), "a line is of no key"),
        (result_of(['{"k":"1"}', *FOUND[1:]]), "a line is of no key"),
        (result_of([DEEP.decode(), *FOUND[1:]]), "a line is of no key"),
        (result_of([*FOUND[:2], "made up"]), "a line is of no key"),
        (result_of([FOUND[0], [["a", "b", "c"]], "missing"]), "a line is of no key"),
        (result_of([FOUND[0], [7], "missing"]), "a line is of no key"),
        (result_of([FOUND[0], [], "missing"]), "a line is of no key"),
        (result_of([FOUND[0], [["mark", None]], "missing"]), "a line is of no key"),
        (result_of(['[{"S":"1"},{"S":"2"}]', *FOUND[1:]]), "a line is of no key"),
    ],
)
def test_a_result_that_cannot_be_understood_fails_by_its_name(
    client: Any, reason: str, tmp_path: Path
) -> None:
    with (
        Journal(tmp_path / "journal", "check") as journal,
        pytest.raises(
            OperationFailedError, match=r"s3://ring-quarantine/run/0-0-0\.jsonl is no"
        ) as no,
    ):
        collect_check(results(client, PLACE, "run", RowShape(1, 2)), journal)
    assert reason in str(no.value)


def test_so_does_one_of_a_backfill(tmp_path: Path) -> None:
    first = {**FIRST, "became": {"copied": 3}}
    for client in (
        result_of([FOUND[0], 7], about=first),
        result_of(about={**FIRST, "became": {"copied": "3"}}),
        result_of(about={**FIRST, "became": []}),
    ):
        with Journal(tmp_path / "journal", "b") as journal, pytest.raises(OperationFailedError):
            collect_backfill(results(client, PLACE, "run"), journal)


def test_a_result_is_read_in_little_memory(tmp_path: Path) -> None:
    client = with_object(b'"' + b"x" * 50_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(OperationFailedError, match="a line is longer"):
            next(results(client, PLACE, "run"))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10 * results_module._LONGEST
