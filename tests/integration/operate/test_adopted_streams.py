"""A table is adopted only with a stream that a hop can read; it is asked before the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from local.clients import FAKE_CREDENTIALS
from operate.aws.clients import ClientPool
from operate.deployed import Deployed
from operate.deployment import stack as stack_module
from operate.deployment.preflight.adopted_streams import ensure_replicable
from operate.deployment.ring_file import read_rings
from operate.deployment.stack import RingStack
from operate.errors import InvalidRequestError, OperationFailedError, PrerequisiteError
from operate.membership import changes
from ring.settings.settings import Settings

HERE, THERE, THIRD = "us-east-1", "eu-west-1", "ap-southeast-2"
KEY = [("id", "S")]
BOTH = "NEW_AND_OLD_IMAGES"
THEM = {"region": THERE}
DENIED = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DescribeTable")


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name, value in FAKE_CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    with mock_aws():
        yield


def table(region: str, view: str | None = BOTH, keys: list[tuple[str, str]] | None = None) -> str:
    """Make a table, and return its stream's ARN, or what it could be."""
    make: Any = boto3.client
    keys = keys or KEY
    stream = {"StreamEnabled": True, "StreamViewType": view} if view else {"StreamEnabled": False}
    made = make("dynamodb", region_name=region).create_table(
        TableName="orders",
        KeySchema=[
            {"AttributeName": name, "KeyType": kind}
            for (name, _), kind in zip(keys, ("HASH", "RANGE"), strict=False)
        ],
        AttributeDefinitions=[{"AttributeName": a, "AttributeType": t} for a, t in keys],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification=stream,
    )["TableDescription"]
    return str(made.get("LatestStreamArn", f"{made['TableArn']}/stream/2026-01-01T00:00:00.000"))


def config(*members: dict[str, Any], **more: Any) -> dict[str, Any]:
    keys = {"partition_key": {"name": "id", "type": "S"}}
    return {"table": {"name": "orders", **keys}, "members": list(members), **more}


class Asking(ClientPool):
    """Clients that note which regions are asked, and those in `lost` are not reached."""

    def __init__(self, *lost: str, error: Exception | None = None) -> None:
        super().__init__()
        self.asked: list[str] = []
        self._lost, self._error = lost, error

    def get(self, credentials: Any, region: str, service: str, *, brief: bool = False) -> Any:
        self.asked.append(region)
        if region in self._lost:
            raise self._error or EndpointConnectionError(endpoint_url=f"https://{region}")
        return super().get(credentials, region, service, brief=brief)


def refused(given: dict[str, Any]) -> str:
    with pytest.raises(InvalidRequestError) as error:
        ensure_replicable(Settings.parse(given), ClientPool())
    return str(error.value)


def test_a_table_with_both_images_and_the_rings_keys_is_adopted() -> None:
    ensure_replicable(
        Settings.parse(config({"region": HERE, "stream_arn": table(HERE)}, THEM)), Asking()
    )


@pytest.mark.parametrize("view", ["OLD_IMAGE", "NEW_IMAGE", "KEYS_ONLY"])
def test_a_stream_of_another_view_type_is_refused_with_what_to_do(view: str) -> None:
    text = refused(config(THEM, {"region": HERE, "stream_arn": table(HERE, view)}))
    assert "members[1].stream_arn" in text
    assert f"table orders in us-east-1 has the view type {view}" in text
    assert f"enable it again with {BOTH}" in text
    assert "nothing was changed" in text


def test_a_stream_that_is_disabled_is_refused() -> None:
    assert "is disabled" in refused(config({"region": HERE, "stream_arn": table(HERE, None)}, THEM))


def test_a_stream_that_is_not_the_tables_latest_is_refused_and_the_latest_is_named() -> None:
    latest = table(HERE)
    older = latest.rpartition("/")[0] + "/2020-01-01T00:00:00.000"
    text = refused(config({"region": HERE, "stream_arn": older}, THEM))
    assert f"the latest stream of table orders in us-east-1 is {latest}" in text
    assert f"Write {latest}." in text


def test_a_table_that_is_not_there_is_refused() -> None:
    arn = table(HERE).replace("orders", "carts")
    text = refused(config({"region": HERE, "table": "carts", "stream_arn": arn}, THEM))
    assert "there is no table carts in us-east-1" in text


@pytest.mark.parametrize("view", [BOTH, "KEYS_ONLY", None])
def test_a_table_of_the_same_name_in_another_account_is_not_taken_for_it(view: str | None) -> None:
    arn = table(HERE, view).replace("123456789012", "210987654321")
    text = refused(config({"region": HERE, "stream_arn": arn}, THEM))
    assert "by these credentials table orders in us-east-1 is in account 123456789012" in text
    assert "the stream in 210987654321" in text
    assert "Write arn:" not in text
    assert "Enable it" not in text


def test_where_there_is_no_table_the_credentials_may_be_those_of_another_account() -> None:
    arn = f"arn:aws:dynamodb:{HERE}:210987654321:table/orders/stream/2026-01-01T00:00:00.000"
    assert "credentials for account 210987654321" in refused(
        config({"region": HERE, "stream_arn": arn}, THEM)
    )


@pytest.mark.parametrize("keys", [[("key", "S")], [("id", "N")], [("id", "S"), ("at", "S")]])
def test_a_table_with_other_keys_is_refused(keys: list[tuple[str, str]]) -> None:
    text = refused(config({"region": HERE, "stream_arn": table(HERE, keys=keys)}, THEM))
    assert ", ".join(f"{name}:{kind}" for name, kind in keys) in text
    assert "the ring's are id:S" in text


def test_all_that_is_wrong_is_reported_at_once() -> None:
    text = refused(
        config(
            {"region": HERE, "stream_arn": table(HERE, "KEYS_ONLY")},
            {"region": THERE, "stream_arn": table(THERE, None)},
        )
    )
    assert "members[0].stream_arn" in text
    assert "members[1].stream_arn" in text


def three(state: str, **more: Any) -> Settings:
    members = [{"region": region, "stream_arn": table(region)} for region in (HERE, THERE, THIRD)]
    members[1]["state"] = state
    return Settings.parse(config(*members, **more))


def test_a_member_that_is_bypassed_is_not_asked() -> None:
    clients = Asking(THERE)
    ensure_replicable(three("bypassed"), clients)
    assert clients.asked == [HERE, THIRD]


@pytest.mark.parametrize("state", ["in", "rejoining"])
def test_a_member_that_takes_part_is_asked(state: str) -> None:
    clients = Asking()
    ensure_replicable(three(state), clients)
    assert clients.asked == [HERE, THERE, THIRD]


def test_members_of_other_stacks_and_tables_that_are_created_are_not_asked() -> None:
    clients = Asking(THERE, THIRD)
    ensure_replicable(three("in", hops=[HERE]), clients)
    ensure_replicable(Settings.parse(config({"region": THERE}, {"region": THIRD})), clients)
    assert clients.asked == [HERE]


@pytest.mark.parametrize("error", [None, DENIED], ids=["lost", "denied"])
def test_a_region_that_cannot_be_asked_is_reported_with_what_to_do(error: Exception | None) -> None:
    with pytest.raises(OperationFailedError) as failed:
        ensure_replicable(three("in"), Asking(THERE, error=error))
    for words in ("members[1].stream_arn", THERE, "dynamodb:DescribeTable", "bypass eu-west-1"):
        assert words in str(failed.value)


def no_engine(*_: Any) -> Any:
    raise AssertionError("the engine was started")


@pytest.mark.parametrize("operation", [RingStack.preview, RingStack.up])
def test_preview_and_up_refuse_it_before_the_engine_is_started(
    operation: Callable[[RingStack], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack_module, "find_cli", no_engine)
    given = config({"region": HERE, "stream_arn": table(HERE, "OLD_IMAGE")}, THEM)
    with pytest.raises(InvalidRequestError, match="view type OLD_IMAGE"):
        operation(RingStack(given))


def test_without_the_cli_it_is_the_cli_that_is_reported_where_all_is_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none() -> Any:
        raise PrerequisiteError("no CLI")

    monkeypatch.setattr(stack_module, "find_cli", none)
    with pytest.raises(PrerequisiteError, match="no CLI"):
        RingStack(config({"region": HERE, "stream_arn": table(HERE)}, THEM)).preview()


@pytest.mark.parametrize("state", ["bypassed", "rejoining"])
def test_a_member_goes_or_comes_only_where_the_others_streams_can_be_read(
    state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused before the file says what cannot be deployed."""
    file = tmp_path / "rings.yaml"
    file.write_text(
        "rings:\n"
        "  - name: orders\n"
        "    settings:\n"
        "      table: {name: orders, partition_key: {name: id, type: S}}\n"
        "      members:\n"
        f"        - {{region: {HERE}, stream_arn: '{table(HERE, 'OLD_IMAGE')}'}}\n"
        f"        - {{region: {THERE}}}\n"
        f"        - {{region: {THIRD}}}\n"
    )
    before = file.read_text()
    (ring,) = read_rings(file)
    monkeypatch.setattr(RingStack, "deployed", lambda _: Deployed([], []))
    operation = changes.bypass if state == "bypassed" else changes.rejoin
    with pytest.raises(InvalidRequestError, match="view type OLD_IMAGE"):
        operation(ring, THERE, allow_gap=True)
    assert file.read_text() == before
