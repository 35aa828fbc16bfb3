"""This process as a function of a stack: with its environment, and recorded under its role."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from local.cloud.state import Resource
from local.hop import function_spec
from tests.permissions.calls import Ear

_OTHERS = (
    "RING_HEARTBEAT",
    "RING_TARGET_ROLE",
    "RING_TARGET_SECRET",
    "RING_SOURCE_TOMBSTONES",
    "RING_TARGET_TOMBSTONES",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
)


@contextmanager
def being(function: Resource, endpoint: str, ear: Ear) -> Iterator[None]:
    """Let this process be the function, and record what it calls."""
    spec = function_spec(function, {})
    # moto's credentials are those of an account; here they are the role's.
    ear.whose[spec.credentials["AWS_ACCESS_KEY_ID"]] = function.outputs["role"]
    environment = {
        **spec.environment,
        **spec.credentials,
        "AWS_DEFAULT_REGION": spec.region,
        "AWS_REGION": spec.region,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name in _OTHERS:
            patch.delenv(name, raising=False)
        for name, value in environment.items():
            patch.setenv(name, value)
        yield
