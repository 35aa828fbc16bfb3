"""A function's clients: with its own role, or with one that it assumes on the other side."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from handler import clients
from handler.clients import CALL_SECONDS, CONCURRENCY, make_client

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


def test_as_many_calls_can_be_connected_as_can_be_under_way() -> None:
    assert make_client("dynamodb", "eu-west-1").meta.config.max_pool_connections >= CONCURRENCY


def test_an_endpoint_is_taken_the_standard_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4711")
    assert make_client("dynamodb", "eu-west-1").meta.endpoint_url == "http://127.0.0.1:4711"
