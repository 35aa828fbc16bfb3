"""Segments worked on by events, one after the other, as a state machine would have it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import botocore.session

from local.clients import HOME_ACCOUNT
from operate.distributed import worker
from operate.reconcile.parallel_scan import ScanSegment


def make(service: str, region: str | None, role: str | None = None) -> Any:
    """A client as whoever runs the test."""
    return botocore.session.Session().create_client(service, region_name=region or "us-east-1")


def few_at_a_time(service: str, region: str | None, role: str | None = None) -> Any:
    """A client whose scans answer with three items a page."""
    client = make(service, region, role)
    few: Callable[..., Any] = lambda params, **_: {**params, "Limit": 3}  # noqa: E731
    client.meta.events.register("provide-client-params.dynamodb.Scan", few)
    return client


def worked(
    told: Mapping[str, Any],
    parts: Iterable[ScanSegment],
    make: worker.ClientFactory = make,
    left: Callable[[], float] = lambda: 900.0,
) -> int:
    """Work on all parts; how many calls it took."""
    calls = 0
    for part in parts:
        event: dict[str, Any] = {**told, "part": worker.segment_to_event(part)}
        while not event.get("state", {}).get("over"):
            event["state"] = worker.process_segment(
                json.loads(json.dumps(event)), make, left, HOME_ACCOUNT
            )
            calls += 1
    return calls
