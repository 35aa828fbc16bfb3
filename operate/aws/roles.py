"""Sessions of a role, whose credentials are renewed for as long as they are used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import botocore.session
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
from botocore.credentials import (
    Credentials as SdkCredentials,
)


def assume_role_session(
    role: str, make: Callable[..., Any], credentials: Any, external_id: str | None = None
) -> botocore.session.Session:
    """A session of a role that is taken by whose the credentials are; `make` makes clients of STS.

    The role is taken again before it expires: to go through large tables can take longer than that.
    """
    asked = {"RoleSessionName": "dynamodb-ring"}
    if external_id:
        asked["ExternalId"] = external_id
    taken = AssumeRoleCredentialFetcher(make, credentials, role, asked)
    return _session_with(DeferredRefreshableCredentials(taken.fetch_credentials, "assume-role"))


def _session_with(credentials: SdkCredentials) -> botocore.session.Session:
    """Make a session whose clients sign with these credentials."""
    session = botocore.session.Session()
    session.register_component("credential_provider", CredentialResolver([_Given(credentials)]))
    return session


class _Given(CredentialProvider):
    """Hands over credentials that are there already."""

    METHOD = "given"

    def __init__(self, credentials: SdkCredentials) -> None:
        super().__init__()
        self._credentials = credentials

    def load(self) -> SdkCredentials:
        return self._credentials
