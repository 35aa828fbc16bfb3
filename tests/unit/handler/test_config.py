"""What a function reads from its environment, and how it reports what is wrong there."""

import pytest

from handler.config import HopConfig, HopConfigError
from handler.protocol.decide import ReplicaId
from handler.store.dynamodb import MemberTables

PLAIN = {
    "RING_SOURCE_REGION": "us-east-1",
    "RING_SOURCE_TABLE": "orders",
    "RING_SOURCE_ID": "0a1b2c3d",
    "RING_TARGET_REGION": "eu-west-1",
    "RING_TARGET_TABLE": "orders-eu",
    "RING_TARGET_ID": "ffffffff",
    "RING_EXPIRY": "own",
    "RING_QUARANTINE": "lost-and-found",
    "RING_WRITES": "batched",
}
WITH_TOMBSTONES = {
    **PLAIN,
    "RING_SOURCE_TOMBSTONES": "orders-tombstones",
    "RING_TARGET_TOMBSTONES": "orders-eu-tombstones",
    "RING_RETENTION_DAYS": "7",
}


def mistakes(environment: dict[str, str]) -> str:
    with pytest.raises(HopConfigError) as raised:
        HopConfig.read(environment)
    return str(raised.value)


def test_a_function_knows_its_two_ends() -> None:
    settings = HopConfig.read(WITH_TOMBSTONES)
    assert settings.source_replica == ReplicaId("0a1b2c3d", "us-east-1", "orders")
    assert settings.target_replica == ReplicaId("ffffffff", "eu-west-1", "orders-eu")
    assert settings.quarantine == "lost-and-found"


def test_each_end_has_its_own_tombstones_kept_for_that_many_days() -> None:
    settings = HopConfig.read(WITH_TOMBSTONES)
    assert settings.source == MemberTables("orders", "orders-tombstones", 604_800)
    assert settings.target == MemberTables("orders-eu", "orders-eu-tombstones", 604_800)


def test_without_their_names_tombstones_are_off() -> None:
    settings = HopConfig.read(PLAIN)
    assert settings.source == MemberTables("orders", None, 0)
    assert settings.target == MemberTables("orders-eu", None, 0)


def test_anothers_variable_that_ends_alike_does_not_turn_tombstones_on() -> None:
    assert HopConfig.read({**PLAIN, "MY_TOMBSTONES": "x"}).source.tombstones is None


@pytest.mark.parametrize(("expiry", "travels"), [("own", False), ("delete", True)])
def test_an_expiry_travels_where_the_function_is_configured_so(expiry: str, travels: bool) -> None:
    assert HopConfig.read({**PLAIN, "RING_EXPIRY": expiry}).replicates_expiry is travels


def test_a_role_is_assumed_only_where_one_is_named() -> None:
    role = "arn:aws:iam::210987654321:role/writer"
    assert HopConfig.read(PLAIN).target_access is None
    assert HopConfig.read({**PLAIN, "RING_TARGET_ROLE": role}).target_access == role


@pytest.mark.parametrize(("writes", "batches"), [("batched", True), ("single", False)])
def test_writes_are_batched_where_the_function_is_configured_so(writes: str, batches: bool) -> None:
    assert HopConfig.read({**PLAIN, "RING_WRITES": writes}).batches is batches


def test_all_that_is_missing_is_named_at_once() -> None:
    message = mistakes({})
    demanded = [name for name in PLAIN if name != "RING_WRITES"]
    assert [name for name in PLAIN if f"{name} is missing" in message] == demanded


def test_without_a_word_about_writes_each_is_made_alone() -> None:
    """As it was before there was the variable, with the rights that there were then."""
    environment = {name: value for name, value in PLAIN.items() if name != "RING_WRITES"}
    assert HopConfig.read(environment).batches is False


@pytest.mark.parametrize("name", WITH_TOMBSTONES)
def test_a_variable_that_is_empty_is_missing(name: str) -> None:
    assert f"{name} is missing" in mistakes({**WITH_TOMBSTONES, name: ""})


@pytest.mark.parametrize(
    "name", ["RING_SOURCE_TOMBSTONES", "RING_TARGET_TOMBSTONES", "RING_RETENTION_DAYS"]
)
def test_half_of_the_tombstones_settings_is_a_mistake(name: str) -> None:
    rest = {other: value for other, value in WITH_TOMBSTONES.items() if other != name}
    assert f"{name} is missing" in mistakes(rest)


def test_a_variable_that_is_missing_for_two_reasons_is_named_once() -> None:
    rest = {name: value for name, value in WITH_TOMBSTONES.items() if name != "RING_RETENTION_DAYS"}
    assert mistakes(rest).count("RING_RETENTION_DAYS") == 1


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("RING_SOURCE_ID", "us-east-1", "RING_SOURCE_ID is 'us-east-1', not 8 hex digits"),
        ("RING_TARGET_ID", "0A1B2C3D", "RING_TARGET_ID is '0A1B2C3D', not 8 hex digits"),
        ("RING_TARGET_ID", "0a1b2c3d4", "RING_TARGET_ID is '0a1b2c3d4', not 8 hex digits"),
        ("RING_RETENTION_DAYS", "7.5", "RING_RETENTION_DAYS is '7.5', not a whole number"),
        ("RING_RETENTION_DAYS", "-7", "RING_RETENTION_DAYS is '-7', not a whole number"),
        ("RING_EXPIRY", "never", "RING_EXPIRY is 'never', not one of own, delete"),
        ("RING_WRITES", "both", "RING_WRITES is 'both', not one of batched, single"),
    ],
)
def test_a_wrong_value_is_reported_with_what_it_should_be(
    name: str, value: str, expected: str
) -> None:
    assert expected in mistakes({**WITH_TOMBSTONES, name: value})


def test_wrong_and_missing_variables_are_reported_together_and_with_the_remedy() -> None:
    message = mistakes({**WITH_TOMBSTONES, "RING_EXPIRY": "never", "RING_QUARANTINE": ""})
    assert "RING_EXPIRY is 'never'" in message
    assert "RING_QUARANTINE is missing" in message
    assert "deploy it again" in message


@pytest.mark.parametrize(("env", "http"), [({}, "own"), ({"RING_HTTP": "boto3"}, "boto3")])
def test_dynamodb_is_called_by_the_hops_own_client_unless_the_function_is_configured_otherwise(
    env: dict[str, str], http: str
) -> None:
    assert HopConfig.read({**PLAIN, **env}).http == http


def test_an_http_client_that_is_not_known_is_reported_with_those_that_are() -> None:
    message = mistakes({**PLAIN, "RING_HTTP": "urllib3"})
    assert "RING_HTTP is 'urllib3', not one of own, boto3" in message
