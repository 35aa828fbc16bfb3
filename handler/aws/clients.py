"""Make the clients of a function, once for its process.

They are botocore's clients: boto3 adds nothing to them, and takes time to import. Only botocore's
documented names are used here, so that no newer version stops a hop:
https://docs.aws.amazon.com/botocore/latest/reference/
"""

import importlib
import os
import re
import tempfile
from concurrent.futures import Executor
from functools import cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import botocore.loaders
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from handler.aws.api import BotocoreApi, DynamoDBApi
from handler.aws.response_check import refuse_foreign_response
from handler.aws.secret_clients import SecretBotocoreApi
from handler.aws.secret_credentials import KeyPair, SecretCredentials
from handler.log import format_error, log

Service = Literal["dynamodb", "s3", "secretsmanager"]
Http = Literal["own", "boto3"]
"""HTTP client for DynamoDB: the hop's own, or botocore's, which boto3 uses too."""

CONCURRENCY = 32
"""Calls of botocore's clients that may be in progress at the same time: each holds a thread."""

MAX_CONCURRENCY = 256
"""Requests of the own HTTP client that may be in progress at the same time. With a round trip of
80 ms, 160 make 2,000 updates a second, and a batch begins with fewer; each connection takes some
50 KB, and Lambda allows 1,024 open files:
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

_CONNECT_SECONDS, _READ_SECONDS = 2, 5
CALL_SECONDS = _CONNECT_SECONDS + _READ_SECONDS
"""Seconds after which a call has failed."""

# One attempt: ``handler.retry`` retries, since it knows the remaining time, and botocore's attempts
# would multiply with its own. Standard mode all the same, for the error codes that it knows.
_CONFIG = Config(
    connect_timeout=_CONNECT_SECONDS,
    read_timeout=_READ_SECONDS,
    retries={"mode": "standard", "total_max_attempts": 1},
    max_pool_connections=CONCURRENCY,
    tcp_keepalive=True,
    # Every value was parsed by its type from a stream record, and DynamoDB validates requests
    # itself. botocore's validation takes longer than everything that the handler does.
    parameter_validation=False,
)


class EndpointError(Exception):
    """Endpoint of a service that is no URL of a host."""

    def __init__(self, service: str, endpoint: str) -> None:
        super().__init__(
            f"{service} cannot be called at {endpoint!r}: an endpoint is http:// or https:// and a "
            "host. It is set in the function's environment (AWS_ENDPOINT_URL or a variable of one "
            "service): correct it there, or remove it to call AWS's own endpoint."
        )


def make_api(
    region: str, pool: Executor, access: str | None = None, http: Http = "own"
) -> DynamoDBApi:
    """Make the API for DynamoDB in a region.

    Args:
        region: where the tables are.
        pool: threads for botocore's calls and for reading credentials.
        access: the ARN of a role to assume, or of a secret with a user's keys; None: the function's
            own role.
        http: the HTTP client: the hop's own, or botocore's. If the own one cannot be made,
            botocore's is used.

    Raises:
        EndpointError: the environment's endpoint is no URL of a host.
        SecretCredentialsError: the secret has no valid keys.
        ClientError, BotoCoreError: the secret cannot be read.
    """
    secret = _secret_credentials(access)
    session = _session(None if secret else access)

    def make(pair: KeyPair | None = None) -> Any:
        return _client_of(session, "dynamodb", region, pair)

    client = make(None if secret is None else secret.get_frozen_credentials())
    credentials = secret or session.get_credentials()
    own = (
        _own_client(client, region, credentials, _ca_bundle(session), pool)
        if http == "own"
        else None
    )
    if own is not None:
        return own
    return BotocoreApi(client, pool) if secret is None else SecretBotocoreApi(secret, make, pool)


def _own_client(*args: Any) -> DynamoDBApi | None:
    """Make the hop's own client, see ``aws.direct_client``; None: it cannot be made."""
    try:
        make_http_api = importlib.import_module("handler.aws.direct_client").make_http_api
        own: DynamoDBApi | None = make_http_api(*args)
    except (ImportError, AttributeError, TypeError) as error:
        # An update of Lambda's runtime may cause this in all hops at once: they go on, and log it.
        log({"level": "WARNING", "event": "http", "client": "boto3", "error": format_error(error)})
        return None
    return own


def max_concurrency(*apis: DynamoDBApi) -> int:
    """Return how many calls of these APIs may be in progress, counted together."""
    in_threads = any(isinstance(api, BotocoreApi | SecretBotocoreApi) for api in apis)
    return CONCURRENCY if in_threads else MAX_CONCURRENCY


def make_client(service: Service, region: str, role: str | None = None) -> Any:
    """Make botocore's client of a service in a region.

    Args:
        service: the service's name in botocore.
        region: the region that it calls.
        role: the ARN of a role to assume; None: the function's own role.

    Raises:
        EndpointError: the environment's endpoint is no URL of a host.
    """
    return _client_of(_session(role), service, region)


def _client_of(
    session: botocore.session.Session, service: Service, region: str, keys: KeyPair | None = None
) -> Any:
    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    credentials: Any = {} if keys is None else dict(zip(names, keys, strict=True))
    try:
        client: Any = session.create_client(
            service, region_name=region, config=_CONFIG, **credentials
        )
    except BotoCoreError:
        raise
    except ValueError as error:
        raise EndpointError(service, f"{error}") from error
    url = str(client.meta.endpoint_url)
    if not _is_host_url(url):
        raise EndpointError(service, url)
    return client


def _is_host_url(url: str) -> bool:
    """Return whether a URL is HTTP or HTTPS and a host.

    With another scheme the host would be called without TLS.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    is_host = re.fullmatch("[A-Za-z0-9._:-]+", str(parts.hostname))
    return parts.scheme in {"http", "https"} and port != 0 and is_host is not None


def _ca_bundle(session: botocore.session.Session) -> Any:
    """Return the file of trusted authorities if the environment names one, else True."""
    return session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE") or True


def _session(role: str | None) -> botocore.session.Session:
    return prepared(botocore.session.Session()) if role is None else _session_with_role(role)


def _secret_credentials(access: str | None) -> SecretCredentials | None:
    """Make the credentials of a secret; None: the ARN is not that of a secret."""
    if access is None or ":secretsmanager:" not in access:
        return None
    client = make_client("secretsmanager", access.split(":")[3])
    # A binary secret has no SecretString, and no valid keys.
    return SecretCredentials(
        lambda: client.get_secret_value(SecretId=access).get("SecretString", "")
    )


def _session_with_role(role: str) -> botocore.session.Session:
    """Make a session that assumes a role, and assumes it again before its credentials expire.

    The SDK does both for a profile that names a role and ``credential_source = Environment``:
    https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html
    """
    profile = Path(tempfile.gettempdir()) / f"dynamodb-ring-aws-config-{os.getpid()}"
    profile.write_text(f"[profile target]\nrole_arn = {role}\ncredential_source = Environment\n")
    session = botocore.session.Session(profile="target")
    session.set_config_variable("config_file", str(profile))
    # Also for the call that assumes the role, which would otherwise wait for a minute, five times.
    session.set_default_client_config(_CONFIG)
    return prepared(session)


def prepared(session: botocore.session.Session) -> botocore.session.Session:
    """Let a session's clients share botocore's megabytes of parsed JSON, and check responses."""
    session.register_component("data_loader", _loader())
    session.register("after-call.dynamodb", refuse_foreign_response)
    return session


@cache
def _loader() -> botocore.loaders.Loader:
    return botocore.loaders.create_loader()
