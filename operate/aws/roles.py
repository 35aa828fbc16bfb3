"""Sessions of an assumed role, with credentials that are renewed while they are in use."""

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

from handler.aws.clients import prepared


def assume_role_session(
    role: str, create_client: Callable[..., Any], credentials: Any, external_id: str | None = None
) -> botocore.session.Session:
    """Return a session of a role, assumed with `credentials`; `create_client` creates STS clients.

    The role is assumed again before it expires, as a scan of a large table may take longer.
    """
    arguments = {"RoleSessionName": "dynamodb-ring"}
    if external_id:
        arguments["ExternalId"] = external_id
    fetcher = AssumeRoleCredentialFetcher(create_client, credentials, role, arguments)
    return _session_with(DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role"))


def _session_with(credentials: SdkCredentials) -> botocore.session.Session:
    """Return a session whose clients sign with these credentials."""
    session = prepared(botocore.session.Session())
    session.register_component(
        "credential_provider", CredentialResolver([_StaticProvider(credentials)])
    )
    return session


class _StaticProvider(CredentialProvider):
    """Provider of given credentials."""

    METHOD = "given"

    def __init__(self, credentials: SdkCredentials) -> None:
        super().__init__()
        self._credentials = credentials

    def load(self) -> SdkCredentials:
        return self._credentials
