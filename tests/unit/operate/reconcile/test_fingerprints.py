"""Rows of a segment: keys as texts, and the fingerprints of items."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest

from handler.model.image import VERSION, digest
from handler.model.version import Version
from operate.reconcile.fingerprints import (
    fingerprint,
    fingerprint_digest,
    fingerprint_version,
    fingerprints,
    key_of,
    key_text,
)


@pytest.mark.parametrize(
    "key",
    [
        {"k": {"S": 'a"b\u2028'}, "s": {"N": "1.5"}},
        {"k": {"B": b"\x00\xff"}, "s": {"S": ""}},
        {"k": {"N": "-0.1"}, "s": {"B": b"{}"}},
    ],
)
def test_a_key_survives_the_round_trip_through_its_text(key: dict[str, Any]) -> None:
    item = {**key, "v": {"S": "more"}}
    assert key_of(key_text(item, ("k", "s")), ("k", "s")) == key


def test_a_fingerprint_is_the_version_of_a_clean_item_and_the_digest_of_any_other() -> None:
    item: dict[str, Any] = {"k": {"S": "1"}, "v": {"SS": ["b", "a"]}}
    version = Version.make(5, 0, "aaaaaaaa", 7, digest(item))
    clean = fingerprint({**item, VERSION: {"B": version}})
    assert (fingerprint_version(clean), fingerprint_digest(clean)) == (version, digest(item))
    edited = fingerprint({**item, "v": {"S": "x"}, VERSION: {"B": version}})
    assert fingerprint_version(edited) is None
    assert fingerprint_digest(edited) == digest({**item, "v": {"S": "x"}})
    assert fingerprint({**item, "v": {"SS": ["a", "b"]}}) == fingerprint_digest(clean)


def test_an_expired_item_has_no_row() -> None:
    ends = {"past": int(time.time()) - 60, "far": Decimal(10**11)}
    items = [{"k": {"S": name}, "ttl": {"N": str(end)}} for name, end in ends.items()]
    assert [key for key, _ in fingerprints(items, ("k",), "ttl")] == ['[{"S":"far"}]']
    assert len(list(fingerprints(items, ("k",), None))) == 2
