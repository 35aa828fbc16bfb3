"""boto3 clients that reach one endpoint and nothing else, whatever the user's environment says."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, Self, cast

import boto3
import botocore.session
from botocore.config import Config

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
"""The account that moto takes a request for, unless its credentials say otherwise."""

FAKE_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIALOCALRINGEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "none",
}
"""Credentials of nobody: moto takes any, and no service of AWS takes these."""

# Profiles and configuration files of the user's are left unread: a region, a proxy or an
# endpoint set there would send the local ring's requests somewhere else.
_BLANK_SESSION = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
# An account-based endpoint is a name of its own, which moto does not answer to, and an
# empty map of proxies keeps HTTP_PROXY from catching what is meant for the loopback.
_CONFIG = Config(
    account_id_endpoint_mode="disabled",
    max_pool_connections=32,
    proxies={},
    s3={"addressing_style": "path"},
)


class Clients:
    """The clients of one endpoint and account: one for each service and region, made when needed.

    `credentials` are the environment variables that AWS's SDKs read them from. Clients may be used
    from several threads. Close them to let go of their connections.
    """

    def __init__(self, endpoint: str, credentials: Mapping[str, str] = FAKE_CREDENTIALS) -> None:
        self.endpoint = endpoint
        self.credentials = dict(credentials)
        self._session = boto3.Session(
            aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=credentials.get("AWS_SESSION_TOKEN"),
            botocore_session=botocore.session.Session(session_vars=_BLANK_SESSION),
        )
        self._lock = threading.Lock()
        self._made: dict[tuple[str, str], Any] = {}

    def dynamodb(self, region: str) -> DynamoDBClient:
        """Return the client for tables in `region`."""
        return cast("DynamoDBClient", self.client("dynamodb", region))

    def streams(self, region: str) -> DynamoDBStreamsClient:
        """Return the client for the streams of tables in `region`."""
        return cast("DynamoDBStreamsClient", self.client("dynamodbstreams", region))

    def functions(self, region: str) -> LambdaClient:
        """Return the client for functions and event source mappings in `region`."""
        return cast("LambdaClient", self.client("lambda", region))

    def s3(self, region: str) -> S3Client:
        """Return the client for buckets in `region`."""
        return cast("S3Client", self.client("s3", region))

    def iam(self, region: str) -> IAMClient:
        """Return the client for roles; IAM is global, and the region tells the partition."""
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
        """Return the client that tells who one is in `region`, and makes one somebody else."""
        return cast("STSClient", self.client("sts", region))

    def client(self, service: str, region: str) -> Any:
        """Return the client of any service in `region`."""
        # boto3 makes clients from a session's shared loader, which threads must not share.
        with self._lock:
            key = (service, region)
            if key not in self._made:
                make: Any = self._session.client
                self._made[key] = make(
                    service, region_name=region, endpoint_url=self.endpoint, config=_CONFIG
                )
            return self._made[key]

    def close(self) -> None:
        """Close every client's connections."""
        with self._lock:
            for client in self._made.values():
                client.close()
            self._made.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Accounts:
    """The clients of one endpoint for each account, made when first asked for.

    moto keeps accounts apart as AWS does, and lets anyone into each of them: the role that is
    assumed for it need not exist.
    """

    def __init__(self, endpoint: str) -> None:
        self.home = Clients(endpoint)
        self._lock = threading.Lock()
        self._others: dict[str, Clients] = {}

    def clients(self, account: str) -> Clients:
        """Return the clients of an account."""
        if account == HOME_ACCOUNT:
            return self.home
        with self._lock:
            if account not in self._others:
                self._others[account] = Clients(self.home.endpoint, self._enter(account))
            return self._others[account]

    def _enter(self, account: str) -> dict[str, str]:
        given = self.home.sts("us-east-1").assume_role(
            RoleArn=f"arn:aws:iam::{account}:role/local-ring", RoleSessionName="local-ring"
        )["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
            "AWS_SESSION_TOKEN": given["SessionToken"],
        }

    def close(self) -> None:
        """Close all clients."""
        for clients in (self.home, *self._others.values()):
            clients.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
