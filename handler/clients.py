"""The clients of a hop: made once in a function's life, shared by its threads.

They are botocore's own: boto3 adds nothing to a client, and takes time to import.
"""

import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, Literal

import botocore.loaders
import botocore.session
from botocore.config import Config

from handler.keys import Keys, session_with

CONCURRENCY = 32
"""How many calls may be on their way at once."""

_CONNECT_SECONDS, _READ_SECONDS = 2, 5
CALL_SECONDS = _CONNECT_SECONDS + _READ_SECONDS
"""How long a call may take until it has failed."""

# One attempt: what fails is tried again by ``handler.patience``, which knows the time that is
# left. Standard mode all the same, for the codes that it tells apart; an attempt of its own would
# multiply with ours.
_CONFIG = Config(
    connect_timeout=_CONNECT_SECONDS,
    read_timeout=_READ_SECONDS,
    retries={"mode": "standard", "total_max_attempts": 1},
    max_pool_connections=CONCURRENCY,
    tcp_keepalive=True,
    # Everything that is sent was read from a record of the stream by its type, and DynamoDB looks
    # itself. It takes longer than all that the handler does.
    parameter_validation=False,
)


def make_client(service: Literal["dynamodb", "s3"], region: str, access: str | None = None) -> Any:
    """Make a client of a service in a region.

    It acts with the function's own role unless ``access`` says otherwise: the ARN of a role to
    assume, or that of a secret with a user's keys.
    """
    if access is not None and ":secretsmanager:" in access:
        return _client_with_keys(service, region, access)
    return _session(access).create_client(service, region_name=region, config=_CONFIG)


def _client_with_keys(service: Literal["dynamodb", "s3"], region: str, secret: str) -> Any:
    """Make a client that reads its keys from a secret, and again when they are refused."""
    secrets: Any = _session(None).create_client(
        "secretsmanager", region_name=secret.split(":")[3], config=_CONFIG
    )
    keys = Keys(lambda: secrets.get_secret_value(SecretId=secret)["SecretString"])
    session = _quick(session_with(keys))
    client = session.create_client(service, region_name=region, config=_CONFIG)
    client.meta.events.register(f"needs-retry.{service}", keys.on_answer)
    return client


def _session(role: str | None) -> botocore.session.Session:
    """Make a session that assumes the role, and again before its credentials expire.

    That a profile may name a role and take the environment's credentials to assume it is the
    SDK's own way: https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html
    """
    if role is None:
        return _quick(botocore.session.Session())
    profile = Path(tempfile.gettempdir()) / f"dynamodb-ring-aws-config-{os.getpid()}"
    profile.write_text(f"[profile target]\nrole_arn = {role}\ncredential_source = Environment\n")
    session = botocore.session.Session(profile="target")
    session.set_config_variable("config_file", str(profile))
    # Also for the call that assumes the role, which would else wait for a minute, five times.
    session.set_default_client_config(_CONFIG)
    return _quick(session)


def _quick(session: botocore.session.Session) -> botocore.session.Session:
    """Let a session know what others have read of botocore's megabytes of JSON."""
    session.register_component("data_loader", _loader())
    return session


@cache
def _loader() -> botocore.loaders.Loader:
    return botocore.loaders.create_loader()
