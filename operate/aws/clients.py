"""AWS clients for each member's account and region, each created once."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from functools import partial
from typing import Any

import botocore.session
from botocore.config import Config

from handler.aws.clients import CONCURRENCY, prepared
from operate.aws.roles import assume_role_session
from operate.deployed import Credentials

_CONFIG = Config(
    max_pool_connections=CONCURRENCY, retries={"mode": "standard", "total_max_attempts": 10}
)
_BRIEF = Config(
    max_pool_connections=CONCURRENCY,
    connect_timeout=3,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 4},
)


class ClientPool:
    """AWS clients for each member's account and region, each created once. Thread-safe."""

    def __init__(self, config: Config = _CONFIG) -> None:
        self._config = config
        self._lock = threading.RLock()  # creating a client is not thread-safe
        # One for each profile, so that one that asks for a code of a device asks once.
        self._profiles: dict[str | None, botocore.session.Session] = {}
        # By region too: a role is assumed in the region of the request, so that a region that is
        # down does not affect another one.
        self._roles: dict[tuple[Credentials, str, bool], botocore.session.Session] = {}
        self._clients: dict[tuple[Credentials, str, str, bool], Any] = {}
        self._brief: set[str] = set()

    def be_brief_in(self, regions: Iterable[str]) -> None:
        """Wait seconds for a response in these regions, not minutes."""
        self._brief |= {*regions}

    def get(
        self, credentials: Credentials, region: str, service: str, *, brief: bool = False
    ) -> Any:
        """Return the client of a service with these credentials.

        A `brief` one waits seconds for a response, as `be_brief_in` lets all of a region.
        """
        with self._lock:
            brief = brief or region in self._brief
            config = _BRIEF if brief else self._config
            key = (credentials, region, service, brief)
            if key not in self._clients:
                session = self._session(credentials, region, config)
                self._clients[key] = self._create(
                    session, service, region_name=region, config=config
                )
            return self._clients[key]

    def _create(self, session: botocore.session.Session, service: str, **options: Any) -> Any:
        """Create a client; a thread that assumes a role again, too, does it by this."""
        with self._lock:
            create: Any = session.create_client
            return create(service, **options)

    def _session(
        self, credentials: Credentials, region: str, config: Config
    ) -> botocore.session.Session:
        profile = credentials.profile
        if profile not in self._profiles:
            self._profiles[profile] = prepared(botocore.session.Session(profile=profile))
        session = self._profiles[profile]
        if not credentials.role:
            return session
        place = (credentials, region, config is _BRIEF)
        if place not in self._roles:
            self._roles[place] = assume_role_session(
                credentials.role,
                partial(self._create, session, region_name=region, config=config),
                session.get_credentials(),
                credentials.external_id,
            )
        return self._roles[place]
