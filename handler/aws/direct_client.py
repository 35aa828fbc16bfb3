"""Make the hop's own HTTP client for DynamoDB, with the endpoint and settings of botocore's client.

Everything undocumented that this program uses of botocore is imported here. If an update of
Lambda's runtime removes or changes one of these names, the import fails, and
``handler.aws.clients`` uses botocore's client instead.
"""

from concurrent.futures import Executor
from typing import Any
from urllib.parse import urlsplit

from botocore.httpsession import get_cert_path
from botocore.utils import get_environ_proxies

from handler.aws.connection_pool import ConnectionPool, Endpoint
from handler.aws.http_client import CredentialCache, HttpApi
from handler.aws.sigv4 import SigV4Signer


def make_http_api(
    client: Any, region: str, credentials: Any, bundle: Any, pool: Executor
) -> HttpApi | None:
    """Make the API for DynamoDB in a region; None: only botocore's client can make the calls.

    That is so with a proxy, or if the endpoint is not the root of a host.

    Args:
        client: botocore's client of DynamoDB in the region.
        region: the region to sign for.
        credentials: see ``CredentialCache``.
        bundle: the file of trusted authorities; True: botocore's own.
        pool: threads for reading credentials.
    """
    url = str(client.meta.endpoint_url)
    parts = urlsplit(url)
    if parts.path.strip("/") or parts.query or get_environ_proxies(url).get(parts.scheme):
        return None
    config, default_port = client.meta.config, 443 if parts.scheme == "https" else 80
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else str(parts.hostname)
    certificates = str(get_cert_path(bundle)) if parts.scheme == "https" else None
    endpoint = Endpoint(url, str(parts.hostname), parts.port or default_port, certificates)
    return HttpApi(
        ConnectionPool(endpoint, config.connect_timeout, config.read_timeout),
        SigV4Signer(host if parts.port in {None, default_port} else f"{host}:{parts.port}", region),
        CredentialCache(credentials, pool),
    )
