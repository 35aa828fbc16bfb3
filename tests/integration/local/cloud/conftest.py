"""Fixtures of tests of a local cloud."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from local.clients import Accounts
from local.cloud.cloud import Cloud
from local.cloud.resources import Location
from local.endpoint.server import LocalServer


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with LocalServer() as server, Accounts(server.endpoint) as accounts:
        yield Cloud(accounts)


@pytest.fixture(scope="module")
def ireland(cloud: Cloud) -> Location:
    tags = json.dumps({"tags": {"team": "orders", "stage": "all"}})
    return cloud.location({"region": "eu-west-1", "defaultTags": tags})
