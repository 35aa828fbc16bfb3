"""Fixtures of tests of commands on a local ring."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.ring import LocalRing
from tests.support.local_rings import PATIENCE, ring_of
from tests.support.quarantined_ring import (
    buckets,
    drop_index,
    redrive,
)


@pytest.fixture(scope="module")
def running() -> Iterator[LocalRing]:
    with ring_of(2, is_watched=True) as two:
        yield two


@pytest.fixture
def ring(running: LocalRing) -> Iterator[LocalRing]:
    """A ring of two that is equal, with nothing in its quarantines."""
    yield running
    drop_index(running)
    redrive(running, "--all", "--yes")
    running.wait_until_quiet(PATIENCE)
    for bucket, s3 in buckets(running):
        for one in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
            s3.delete_object(Bucket=bucket, Key=one["Key"])
