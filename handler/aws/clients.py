"""What a hop calls AWS with: made once in a function's life.

The clients are botocore's own: boto3 adds nothing to one, and takes time to import. Of botocore
only what its and boto3's documentation names is used here, so that no newer one stops a hop:
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
from handler.aws.secret_clients import SecretBotocoreApi
from handler.aws.secret_credentials import KeyPair, SecretCredentials
from handler.log import format_error, log

Service = Literal["dynamodb", "s3", "secretsmanager"]
Http = Literal["own", "boto3"]
"""Whose HTTP client calls DynamoDB: the hop's own, or botocore's, which boto3 has too."""

CONCURRENCY = 32
"""How many calls may be on their way at once."""

_CONNECT_SECONDS, _READ_SECONDS = 2, 5
CALL_SECONDS = _CONNECT_SECONDS + _READ_SECONDS
"""How long a call may take until it has failed."""

# One attempt: what fails is tried again by ``handler.retry``, which knows the time that is
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


class EndpointError(Exception):
    """The endpoint of a service is none that a hop may call. Says which."""

    def __init__(self, service: str, endpoint: str) -> None:
        super().__init__(
            f"{service} cannot be called at {endpoint!r}: an endpoint is http:// or https:// and a "
            "host. It stands in the function's environment (AWS_ENDPOINT_URL or one of its kind): "
            "correct it there, or take it away to call AWS's own."
        )


def make_api(
    region: str, pool: Executor, access: str | None = None, http: Http = "own"
) -> DynamoDBApi:
    """Make what calls DynamoDB in a region.

    Args:
        region: where the tables are.
        pool: where botocore's client makes its calls, and where keys are looked at.
        access: the ARN of a role to assume, or of a secret with a user's keys; None: the function's
            own role.
        http: whose client makes the calls: the hop's own, or botocore's. Where the own one cannot
            be made, botocore's makes them too.
    """
    keys = _credentials_in(access) if access is not None and ":secretsmanager:" in access else None
    session = _session(None if keys else access)

    def make(pair: KeyPair | None = None) -> Any:
        return _client_of(session, "dynamodb", region, pair)

    client = make(None if keys is None else keys.get_frozen_credentials())
    credentials = keys or session.get_credentials()
    own = (
        _own_client(client, region, credentials, _bundle(session), pool) if http == "own" else None
    )
    if own is not None:
        return own
    return BotocoreApi(client, pool) if keys is None else SecretBotocoreApi(keys, make, pool)


def _own_client(*parts: Any) -> DynamoDBApi | None:
    """Make the hop's own client, see ``aws.direct_client``; None where there cannot be one."""
    try:
        make_wire = importlib.import_module("handler.aws.direct_client").make_http_api
        own: DynamoDBApi | None = make_wire(*parts)
    except (ImportError, AttributeError, TypeError) as error:
        # An update of Lambda's runtime may do this to all hops at once: they go on, and tell.
        log({"level": "WARNING", "event": "http", "client": "boto3", "error": format_error(error)})
        return None
    return own


def make_client(service: Service, region: str, role: str | None = None) -> Any:
    """Make a client of a service in a region, which acts with the function's role or another."""
    return _client_of(_session(role), service, region)


def _client_of(
    session: botocore.session.Session, service: Service, region: str, keys: KeyPair | None = None
) -> Any:
    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    given: Any = {} if keys is None else dict(zip(names, keys, strict=True))
    try:
        client: Any = session.create_client(service, region_name=region, config=_CONFIG, **given)
    except BotoCoreError:
        raise
    except ValueError as error:
        raise EndpointError(service, f"{error}") from error
    url = str(client.meta.endpoint_url)
    if not _may_be_called(url):
        raise EndpointError(service, url)
    return client


def _may_be_called(url: str) -> bool:
    """Tell whether a URL is a host's that is called by HTTP, with TLS or without.

    With another scheme it would be called without TLS.
    """
    try:
        at = urlsplit(url)
        port = at.port
    except ValueError:
        return False
    is_host = re.fullmatch("[A-Za-z0-9._:-]+", str(at.hostname))
    return at.scheme in {"http", "https"} and port != 0 and is_host is not None


def _bundle(session: botocore.session.Session) -> Any:
    """The file of the authorities to trust, where the environment names one, else True."""
    return session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE") or True


def _session(role: str | None) -> botocore.session.Session:
    return _share_loader(botocore.session.Session()) if role is None else _session_with_role(role)


def _credentials_in(secret: str) -> SecretCredentials:
    """Return the keys of a secret by its ARN."""
    secrets = make_client("secretsmanager", secret.split(":")[3])
    # A secret may be bytes, which are no keys.
    return SecretCredentials(
        lambda: secrets.get_secret_value(SecretId=secret).get("SecretString", "")
    )


def _session_with_role(role: str) -> botocore.session.Session:
    """Make a session that assumes the role, and again before its credentials expire.

    That a profile may name a role and take the environment's credentials to assume it is the
    SDK's own way: https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html
    """
    profile = Path(tempfile.gettempdir()) / f"dynamodb-ring-aws-config-{os.getpid()}"
    profile.write_text(f"[profile target]\nrole_arn = {role}\ncredential_source = Environment\n")
    session = botocore.session.Session(profile="target")
    session.set_config_variable("config_file", str(profile))
    # Also for the call that assumes the role, which would else wait for a minute, five times.
    session.set_default_client_config(_CONFIG)
    return _share_loader(session)


def _share_loader(session: botocore.session.Session) -> botocore.session.Session:
    """Let a session know what others have read of botocore's megabytes of JSON."""
    session.register_component("data_loader", _loader())
    return session


@cache
def _loader() -> botocore.loaders.Loader:
    return botocore.loaders.create_loader()
