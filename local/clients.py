"""AWS clients for one endpoint, independent of the user's AWS configuration."""

from __future__ import annotations

import os
import threading
from functools import cache
from typing import TYPE_CHECKING, Any, Self, cast

import botocore.session
from botocore.config import Config

from handler.aws.clients import prepared
from local.record_client import RecordClient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sts import STSClient

HOME_ACCOUNT = "123456789012"
"""moto's default account: used for every request whose credentials belong to no other account."""

FAKE_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIALOCALRINGEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "none",
}
"""Made-up credentials: moto accepts any, AWS rejects these."""

# The user's profiles and configuration files are not read: a region, proxy or endpoint set in them
# would redirect the local ring's requests.
_BLANK_SESSION = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
# moto does not answer to the host name of an account-based endpoint. The empty map of proxies keeps
# HTTP_PROXY from applying to the loopback address.
_CONFIG = Config(
    account_id_endpoint_mode="disabled",
    max_pool_connections=32,
    proxies={},
    s3={"addressing_style": "path"},
)


_CREATING = threading.Lock()
"""Held while a client is created: sessions are not thread-safe."""


@cache
def blank_session() -> botocore.session.Session:
    """Return the session of all clients: making one takes longer than making a client."""
    return prepared(botocore.session.Session(session_vars=_BLANK_SESSION))


class Clients:
    """Clients of one endpoint and account: one for each service and region, created on first use.

    `credentials` are environment variables as AWS's SDKs read them; `config` is merged into that of
    all local rings. The clients are thread-safe.
    `close` closes their connections.
    """

    def __init__(
        self,
        endpoint: str,
        credentials: Mapping[str, str] = FAKE_CREDENTIALS,
        config: Config | None = None,
    ) -> None:
        self.endpoint = endpoint
        self._config = _CONFIG.merge(config) if config else _CONFIG
        self.credentials = dict(credentials)
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}

    def dynamodb(self, region: str) -> DynamoDBClient:
        """Return the client for tables in `region`."""
        return cast("DynamoDBClient", self.client("dynamodb", region))

    def streams(self, region: str) -> DynamoDBStreamsClient:
        """Return the client for the streams of tables in `region`."""
        return cast("DynamoDBStreamsClient", self.client("dynamodbstreams", region))

    def functions(self, region: str) -> LambdaClient:
        """Return the client for functions and event source mappings in `region`."""
        return cast("LambdaClient", self.client("lambda", region))

    def records(self, region: str) -> RecordClient:
        """Return a client that reads records of streams in `region` with less work."""
        streams = self.streams(region)
        with self._lock:
            key = ("records", region)
            if key not in self._clients:
                self._clients[key] = RecordClient(streams, self.credentials["AWS_ACCESS_KEY_ID"])
            return cast("RecordClient", self._clients[key])

    def s3(self, region: str) -> S3Client:
        """Return the client for buckets in `region`."""
        return cast("S3Client", self.client("s3", region))

    def iam(self, region: str) -> IAMClient:
        """Return the client for IAM. IAM is global; the region selects the partition."""
        return cast("IAMClient", self.client("iam", region))

    def logs(self, region: str) -> CloudWatchLogsClient:
        """Return the client for log groups in `region`."""
        return cast("CloudWatchLogsClient", self.client("logs", region))

    def cloudwatch(self, region: str) -> CloudWatchClient:
        """Return the client for metrics, alarms and dashboards in `region`."""
        return cast("CloudWatchClient", self.client("cloudwatch", region))

    def sns(self, region: str) -> SNSClient:
        """Return the client for topics in `region`."""
        return cast("SNSClient", self.client("sns", region))

    def secrets(self, region: str) -> SecretsManagerClient:
        """Return the client for secrets in `region`."""
        return cast("SecretsManagerClient", self.client("secretsmanager", region))

    def sts(self, region: str) -> STSClient:
        """Return the client for STS in `region`."""
        return cast("STSClient", self.client("sts", region))

    def client(self, service: str, region: str) -> Any:
        """Return the client of any service in `region`."""
        with self._lock:
            key = (service, region)
            if key not in self._clients:
                self._clients[key] = self._create(service, region)
            return self._clients[key]

    def _create(self, service: str, region: str) -> Any:
        keys = self.credentials
        with _CREATING:
            create: Any = blank_session().create_client
            return create(
                service,
                region_name=region,
                endpoint_url=self.endpoint,
                config=self._config,
                aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
                aws_session_token=keys.get("AWS_SESSION_TOKEN"),
            )

    def close(self) -> None:
        """Close every client's connections."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Accounts:
    """Clients of one endpoint for each account, created on first use.

    moto separates accounts as AWS does, but lets any role be assumed: the role need not exist.
    """

    def __init__(self, endpoint: str, config: Config | None = None) -> None:
        self.home = Clients(endpoint, config=config)
        self._config = config
        self._lock = threading.Lock()
        self._others: dict[str, Clients] = {}

    def clients(self, account: str) -> Clients:
        """Return the clients of an account."""
        if account == HOME_ACCOUNT:
            return self.home
        with self._lock:
            if account not in self._others:
                credentials = self._assume_role(account)
                self._others[account] = Clients(self.home.endpoint, credentials, self._config)
            return self._others[account]

    def _assume_role(self, account: str) -> dict[str, str]:
        credentials = self.home.sts("us-east-1").assume_role(
            RoleArn=f"arn:aws:iam::{account}:role/local-ring", RoleSessionName="local-ring"
        )["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
            "AWS_SESSION_TOKEN": credentials["SessionToken"],
        }

    def close(self) -> None:
        """Close all clients."""
        for clients in (self.home, *self._others.values()):
            clients.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
