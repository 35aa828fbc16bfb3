"""AWS clients for each member's account and region, each created once."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from functools import partial
from typing import Any

import boto3
from botocore.config import Config

from handler.aws.clients import CONCURRENCY
from operate.aws.roles import assume_role_session
from operate.deployed import Credentials

_CONFIG = Config(
    max_pool_connections=CONCURRENCY, retries={"mode": "standard", "total_max_attempts": 10}
)


_BRIEF = Config(
    max_pool_connections=CONCURRENCY,
    connect_timeout=3,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 2},
)


class ClientPool:
    """AWS clients for each member's account and region, each created once. Thread-safe."""

    def __init__(self, config: Config = _CONFIG) -> None:
        self._config = config
        self._lock = threading.Lock()  # creating a boto3 client is not thread-safe
        # By region too: a role is assumed in the region of the request, so that a region that is
        # down does not affect another one.
        self._sessions: dict[tuple[Credentials, str], boto3.Session] = {}
        self._clients: dict[tuple[Credentials, str, str], Any] = {}
        self._brief: set[str] = set()

    def be_brief_in(self, regions: Iterable[str]) -> None:
        """Wait seconds for a response in these regions, not minutes."""
        self._brief |= {*regions}

    def get(self, credentials: Credentials, region: str, service: str) -> Any:
        """Return the client of a service with these credentials."""
        key = (credentials, region, service)
        with self._lock:
            if key not in self._clients:
                config = _BRIEF if region in self._brief else self._config
                if (credentials, region) not in self._sessions:
                    self._sessions[credentials, region] = _session(credentials, region, config)
                create: Any = self._sessions[credentials, region].client
                self._clients[key] = create(service, region_name=region, config=config)
            return self._clients[key]


def _session(credentials: Credentials, region: str, config: Config) -> boto3.Session:
    session = boto3.Session(profile_name=credentials.profile)
    if not credentials.role:
        return session
    create: Any = session.client
    assumed = assume_role_session(
        credentials.role,
        partial(create, region_name=region, config=config),
        session.get_credentials(),
        credentials.external_id,
    )
    return boto3.Session(botocore_session=assumed)
