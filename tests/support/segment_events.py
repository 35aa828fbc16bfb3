"""Segments worked on by events, one after the other, as a state machine would have it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

import botocore.session

from handler.aws.clients import prepared
from local.clients import HOME_ACCOUNT
from operate.distributed import worker
from operate.reconcile.parallel_scan import ScanSegment


def make(service: str, region: str | None, role: str | None = None) -> Any:
    """Make a client with the credentials of the test run."""
    return _session(os.environ.get("AWS_ENDPOINT_URL")).create_client(
        service, region_name=region or "us-east-1"
    )


@cache
def _session(_endpoint: str | None) -> Any:
    """Make a session, which keeps what it has read of the environment."""
    return prepared(botocore.session.Session())


def few_at_a_time(service: str, region: str | None, role: str | None = None) -> Any:
    """Make a client whose scans answer with three items a page."""
    client = make(service, region, role)
    few: Callable[..., Any] = lambda params, **_: {**params, "Limit": 3}  # noqa: E731
    client.meta.events.register("provide-client-params.dynamodb.Scan", few)
    return client


def worked(
    task: Mapping[str, Any],
    parts: Iterable[ScanSegment],
    make: worker.ClientFactory = make,
    left: Callable[[], float] = lambda: 900.0,
) -> int:
    """Work on all parts; how many calls it took."""
    calls = 0
    for part in parts:
        event: dict[str, Any] = {**task, "part": worker.segment_to_event(part)}
        while not event.get("state", {}).get("over"):
            event["state"] = worker.process_segment(
                json.loads(json.dumps(event)), make, left, HOME_ACCOUNT
            )
            calls += 1
    return calls
