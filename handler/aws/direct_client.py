"""Make the hop's own client of DynamoDB, from what botocore has found out.

All that this program takes of botocore without its documentation naming it is imported here. Where
one of these is gone or changed, as an update of Lambda's runtime may have it, the import fails, and
``handler.aws.clients`` makes botocore's client instead.
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
    """Make what calls DynamoDB as a client would; None where that must go another way.

    Where a proxy stands between, or the endpoint is not the root of a host, only botocore's client
    knows how.

    Args:
        client: botocore's client of DynamoDB in the region.
        region: what to sign for.
        credentials: the keys, as ``Wallet`` takes them.
        bundle: the file of the authorities to trust; True: botocore's own.
        pool: where keys are looked at.
    """
    url = str(client.meta.endpoint_url)
    at = urlsplit(url)
    if at.path.strip("/") or at.query or get_environ_proxies(url).get(at.scheme):
        return None
    config, usual = client.meta.config, 443 if at.scheme == "https" else 80
    host = f"[{at.hostname}]" if ":" in str(at.hostname) else str(at.hostname)
    trusted = str(get_cert_path(bundle)) if at.scheme == "https" else None
    address = Endpoint(url, str(at.hostname), at.port or usual, trusted)
    return HttpApi(
        ConnectionPool(address, config.connect_timeout, config.read_timeout),
        SigV4Signer(host if at.port in {None, usual} else f"{host}:{at.port}", region),
        CredentialCache(credentials, pool),
    )
