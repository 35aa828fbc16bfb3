"""What a function calls with: its own role, or one that it assumes on the other side."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import InvalidRegionError
from moto import mock_aws

from handler.aws import clients
from handler.aws.api import BotocoreApi, DynamoDBApi
from handler.aws.clients import (
    CALL_SECONDS,
    CONCURRENCY,
    EndpointError,
    Http,
    Service,
    make_api,
    make_client,
)
from handler.aws.http_client import HttpApi
from tests.support.http_host import Guest, Host, certified, host
from tests.support.store_backends import hearing

ROLE = "arn:aws:iam::210987654321:role/writer"
OTHER_ROLE = "arn:aws:iam::123123123123:role/writer"


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Lambda's: a temporary directory, and the credentials of the function's role."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield tmp_path


def credentials(client: Any) -> Any:
    return client._request_signer._credentials


def account_that_answers(client: Any) -> str:
    """The account in whose name the client makes tables."""
    made = client.create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return str(made["TableDescription"]["TableArn"].split(":")[4])


def test_without_a_role_a_client_uses_the_functions_own_and_writes_no_file(temporary: Path) -> None:
    client = make_client("dynamodb", "eu-west-1")
    assert credentials(client).method == "env"
    assert list(temporary.iterdir()) == []


def test_with_a_role_a_client_assumes_it() -> None:
    assert credentials(make_client("dynamodb", "eu-west-1", ROLE)).method == "assume-role"


def test_calls_with_a_role_are_made_in_the_account_of_the_role() -> None:
    assert account_that_answers(make_client("dynamodb", "eu-west-1", ROLE)) == "210987654321"


def test_a_client_keeps_its_role_when_another_is_made_for_another_one() -> None:
    first, second = (make_client("dynamodb", "eu-west-1", role) for role in (ROLE, OTHER_ROLE))
    assert account_that_answers(first) == "210987654321"
    assert account_that_answers(second) == "123123123123"


def test_a_role_leaves_the_functions_own_clients_alone() -> None:
    make_client("dynamodb", "eu-west-1", ROLE)
    assert credentials(make_client("dynamodb", "us-east-1")).method == "env"


def test_a_client_is_of_its_members_region() -> None:
    assert make_client("dynamodb", "eu-west-1").meta.region_name == "eu-west-1"
    assert make_client("dynamodb", "eu-west-1", ROLE).meta.region_name == "eu-west-1"


def test_a_call_does_not_wait_for_long_and_leaves_trying_again_to_the_handler() -> None:
    config = make_client("dynamodb", "eu-west-1").meta.config
    assert config.connect_timeout + config.read_timeout == CALL_SECONDS < 10
    assert config.retries["total_max_attempts"] == 1


def test_the_call_that_assumes_a_role_does_not_wait_for_long_either() -> None:
    session = clients._session(ROLE)
    config: Any = session.create_client("sts", region_name="eu-west-1").meta.config
    assert config.connect_timeout + config.read_timeout == CALL_SECONDS
    assert config.retries["total_max_attempts"] == 1


def test_as_many_calls_can_be_connected_as_can_be_in_flight() -> None:
    assert make_client("dynamodb", "eu-west-1").meta.config.max_pool_connections >= CONCURRENCY


def test_an_endpoint_is_read_from_the_standard_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4711")
    assert make_client("dynamodb", "eu-west-1").meta.endpoint_url == "http://127.0.0.1:4711"


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as two:
        yield two


@contextmanager
def listening(tls: ssl.SSLContext | None = None) -> Iterator[tuple[Host, list[str]]]:
    """A host that answers one request on each connection, and the head of each."""
    heads: list[str] = []

    def listen(guest: Guest) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += guest.socket.recv(1)
        heads.append(head.decode())
        guest.say(b"{}")

    with host(listen, tls) as at:
        yield at, heads


def ask(call: DynamoDBApi) -> Any:
    return asyncio.run(call("GetItem", {}))


def test_calls_are_made_over_the_wire_to_the_endpoint_that_botocore_finds(
    pool: ThreadPoolExecutor,
) -> None:
    call: Any = make_api("cn-north-1", pool)
    assert isinstance(call, HttpApi)
    signer, address = call._signer, call._connections._endpoint
    assert address.url == "https://dynamodb.cn-north-1.amazonaws.com.cn"
    assert (address.host, address.port) == ("dynamodb.cn-north-1.amazonaws.com.cn", 443)
    assert (signer.host, signer.region) == (address.host, "cn-north-1")
    assert Path(str(address.certificates)).is_file()


def test_a_call_waits_as_long_as_a_client_does(pool: ThreadPoolExecutor) -> None:
    lines = make_api("eu-west-1", pool)._connections  # type: ignore[attr-defined]
    assert lines._connect_seconds + lines._read_seconds == CALL_SECONDS


@pytest.mark.parametrize(
    ("url", "host_header"),
    [
        ("http://127.0.0.1:4711", "127.0.0.1:4711"),
        ("http://localhost:80/", "localhost"),
        ("https://Example.com:443", "example.com"),
        ("https://[::1]:8443", "[::1]:8443"),
        ("https://vpce-1.dynamodb.eu-west-1.vpce.amazonaws.com", None),
    ],
)
def test_an_endpoint_of_ones_own_is_called_by_its_name(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch, url: str, host_header: str | None
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    call: Any = make_api("eu-west-1", pool)
    assert call._signer.host == (host_header or url.removeprefix("https://"))
    assert (call._connections._endpoint.certificates is None) == url.startswith("http:")


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://127.0.0.1:1", "gopher://here", "file:///etc", "127.0.0.1:8000", "https://"),
        *("http://a b", "http://127.0.0.1:99999", "http://127.0.0.1:x", "http://127.0.0.1:0"),
        *("http://here\r\nx-a: b", "unix:///run/dynamodb"),
    ],
)
@pytest.mark.parametrize("http", ["own", "boto3"])
def test_an_endpoint_that_is_no_host_to_call_by_http_is_refused(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch, url: str, http: Http
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    with pytest.raises(EndpointError, match=r"dynamodb cannot be called at .*AWS_ENDPOINT_URL"):
        make_api("eu-west-1", pool, None, http)


@pytest.mark.parametrize("service", ["s3", "secretsmanager"])
def test_nor_is_another_service_called_there(
    monkeypatch: pytest.MonkeyPatch, service: Service
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "ftp://127.0.0.1:1")
    with pytest.raises(EndpointError, match=f"{service} cannot be called"):
        make_client(service, "eu-west-1")


def test_an_unknown_region_is_reported_as_one(pool: ThreadPoolExecutor) -> None:
    with pytest.raises(InvalidRegionError):
        make_api("eu west", pool)


def test_where_the_sdk_is_to_make_the_calls_botocores_client_does(
    pool: ThreadPoolExecutor,
) -> None:
    assert isinstance(make_api("eu-west-1", pool, None, "boto3"), BotocoreApi)


def test_a_call_is_signed_for_the_role_that_is_assumed(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only calls of DynamoDB's: the role is assumed in moto.
    with listening() as (at, heads):
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{at.port}")
        assert ask(make_api("eu-west-1", pool, ROLE)) == {}
    (head,) = heads
    assert "\r\nx-amz-security-token: " in head
    assert f"\r\nhost: 127.0.0.1:{at.port}\r\n" in head
    assert "/eu-west-1/dynamodb/aws4_request, " in head


def test_a_host_is_trusted_by_the_bundle_that_the_environment_names(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch, temporary: Path
) -> None:
    certificates, tls = certified(temporary, "127.0.0.1")
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    with listening(tls) as (at, heads):
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"https://127.0.0.1:{at.port}")
        for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
            with monkeypatch.context() as named:
                named.setenv(name, str(certificates))
                assert ask(make_api("eu-west-1", pool)) == {}
    assert len(heads) == 2


@pytest.mark.parametrize(
    ("url", "around", "in_threads"),
    [
        ("https://127.0.0.1:1", "", True),
        ("https://127.0.0.1:1", "127.0.0.1", False),
        ("http://127.0.0.1:1", "", False),
        ("https://127.0.0.1:1/part", "127.0.0.1", True),
        ("https://127.0.0.1:1/?part", "127.0.0.1", True),
    ],
    ids=["a proxy", "around the proxy", "a proxy for others", "not the root", "a query"],
)
def test_where_a_proxy_or_a_path_is_between_botocores_client_makes_the_calls(
    pool: ThreadPoolExecutor,
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    around: str,
    in_threads: bool,
) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:2")
    monkeypatch.setenv("NO_PROXY", around)
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    assert isinstance(make_api("eu-west-1", pool), BotocoreApi if in_threads else HttpApi)


def test_calls_in_threads_are_in_flight_at_the_same_time(pool: ThreadPoolExecutor) -> None:
    client = make_client("dynamodb", "us-east-1")
    account_that_answers(client)
    both_sent = threading.Barrier(2)
    call = BotocoreApi(client, pool)

    async def two() -> Any:
        request = {"TableName": "orders", "Key": {"k": {"S": "1"}}}
        return await asyncio.gather(call("GetItem", request), call("GetItem", request))

    def wait_for_the_other(**_: Any) -> None:
        both_sent.wait(timeout=30)

    with hearing(call, "before-call.dynamodb.GetItem", wait_for_the_other):
        assert ["Item" in answer for answer in asyncio.run(two())] == [False, False]
