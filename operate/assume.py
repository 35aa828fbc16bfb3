"""Clients that act as a role, for as long as they are used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import botocore.session
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

from handler.keys import session_with


def session_as(
    role: str, make: Callable[..., Any], credentials: Any, external_id: str | None = None
) -> botocore.session.Session:
    """A session of a role that is taken by whose the credentials are; `make` makes clients of STS.

    The role is taken again before it expires: to go through large tables can take longer than that.
    """
    asked = {"RoleSessionName": "dynamodb-ring"}
    if external_id:
        asked["ExternalId"] = external_id
    taken = AssumeRoleCredentialFetcher(make, credentials, role, asked)
    return session_with(DeferredRefreshableCredentials(taken.fetch_credentials, "assume-role"))
