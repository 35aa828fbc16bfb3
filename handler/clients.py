"""What a hop calls AWS with: made once in a function's life.

The clients are botocore's own: boto3 adds nothing to one, and takes time to import.
"""

import os
import tempfile
from concurrent.futures import Executor
from functools import cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import botocore.loaders
import botocore.session
from botocore.config import Config
from botocore.httpsession import get_cert_path
from botocore.utils import get_environ_proxies

from handler.calls import Call, InThreads
from handler.connections import Address, Connections
from handler.keys import Keys, session_with
from handler.signing import Signer
from handler.wire import Wallet, Wire

Service = Literal["dynamodb", "s3", "secretsmanager"]

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


def make_call(region: str, pool: Executor, access: str | None = None) -> Call:
    """Make what calls DynamoDB in a region, with the access that ``make_client`` tells.

    Where a proxy stands between, or the endpoint is not the root of a host, botocore's client makes
    the calls, in threads of the pool.
    """
    session = _session(access)
    client = _client_of(session, "dynamodb", region)
    url = str(client.meta.endpoint_url)
    at = urlsplit(url)
    if at.path.strip("/") or get_environ_proxies(url).get(at.scheme):
        return InThreads(client, pool)
    config, usual = client.meta.config, 443 if at.scheme == "https" else 80
    host = f"[{at.hostname}]" if ":" in str(at.hostname) else str(at.hostname)
    trusted = get_cert_path(_bundle(session)) if at.scheme == "https" else None
    address = Address(url, str(at.hostname), at.port or usual, trusted)
    return Wire(
        Connections(address, config.connect_timeout, config.read_timeout),
        Signer(host if at.port in {None, usual} else f"{host}:{at.port}", region),
        Wallet(session.get_credentials(), pool),
    )


def make_client(service: Service, region: str, access: str | None = None) -> Any:
    """Make a client of a service in a region.

    It acts with the function's own role unless ``access`` says otherwise: the ARN of a role to
    assume, or that of a secret with a user's keys.
    """
    return _client_of(_session(access), service, region)


def _client_of(session: botocore.session.Session, service: Service, region: str) -> Any:
    client: Any = session.create_client(service, region_name=region, config=_CONFIG)
    keys = session.get_credentials()
    if isinstance(keys, Keys):
        client.meta.events.register(f"needs-retry.{service}", keys.on_answer)
    return client


def _bundle(session: botocore.session.Session) -> Any:
    """The file of the authorities to trust, where the environment names one, else True."""
    return session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE") or True


def _session(access: str | None) -> botocore.session.Session:
    if access is None:
        return _quick(botocore.session.Session())
    if ":secretsmanager:" in access:
        return _session_with_keys(access)
    return _session_with_role(access)


def _session_with_keys(secret: str) -> botocore.session.Session:
    """Make a session that reads its keys from a secret, and again when they are refused."""
    secrets = make_client("secretsmanager", secret.split(":")[3])
    keys = Keys(lambda: secrets.get_secret_value(SecretId=secret)["SecretString"])
    return _quick(session_with(keys))


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
    return _quick(session)


def _quick(session: botocore.session.Session) -> botocore.session.Session:
    """Let a session know what others have read of botocore's megabytes of JSON."""
    session.register_component("data_loader", _loader())
    return session


@cache
def _loader() -> botocore.loaders.Loader:
    return botocore.loaders.create_loader()
