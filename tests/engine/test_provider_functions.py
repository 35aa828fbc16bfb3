"""The test provider treats functions and mappings like the AWS provider. Without the engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import grpc
import pytest
from botocore.exceptions import ClientError

from local.cloud.resources import Location, resource_type
from tests.engine.connections import Connection
from tests.engine.provider.protobuf import decoded
from tests.engine.provider_inputs import (
    FUNCTION,
    MAPPING,
    ROLE,
    TABLE,
    TRUST,
    code,
    function,
    made,
    table,
)


@pytest.fixture(scope="module")
def runs(ireland: Connection) -> None:
    made(ireland, ROLE, {"name": "runs", "assumeRolePolicy": TRUST})


@pytest.mark.usefixtures("runs")
def test_a_function_has_its_configuration_changed_before_its_code(
    ireland: Connection, place: Location
) -> None:
    before = function("ordered")
    made(ireland, FUNCTION, before)
    client = place.clients.functions(place.region)
    refusal = ClientError({"Error": {"Code": "Denied", "Message": "no code"}}, "UpdateFunctionCode")
    after = function("ordered", code=code("def other(*_): ..."), handler="app.other")
    with (
        patch.object(client, "update_function_code", side_effect=refusal),
        pytest.raises(grpc.RpcError, match="no code"),
    ):
        ireland.update(FUNCTION, "ordered", before, after)
    left = client.get_function(FunctionName="ordered")["Configuration"]
    assert left["Handler"] == "app.other"  # with the old code


@pytest.mark.usefixtures("runs")
def test_a_functions_code_is_sent_only_where_it_is_another(
    ireland: Connection, place: Location
) -> None:
    before = function("same")
    made(ireland, FUNCTION, before)
    client = place.clients.functions(place.region)
    with patch.object(client, "update_function_code", wraps=client.update_function_code) as calls:
        ireland.update(FUNCTION, "same", before, function("same", timeout=9))
        assert calls.call_count == 0
        ireland.update(FUNCTION, "same", before, function("same", code=code("x = 1")))
        assert calls.call_count == 1


@pytest.mark.usefixtures("runs")
def test_where_a_function_logs_is_set_read_and_changed(
    ireland: Connection, place: Location
) -> None:
    before = function("logs")
    made(ireland, FUNCTION, before)
    seen = decoded(ireland.read(FUNCTION, "logs", inputs=before, properties=before).properties)
    assert seen["loggingConfig"] == {"logFormat": "Text", "logGroup": "one"}
    other = {"logFormat": "Text", "logGroup": "two"}
    after = function("logs", loggingConfig=other)
    assert list(ireland.diff(FUNCTION, before, after).diffs) == ["loggingConfig"]
    ireland.update(FUNCTION, "logs", before, after)
    client: Any = place.clients.functions(place.region)
    assert client.get_function(FunctionName="logs")["Configuration"]["LoggingConfig"] == {
        "LogFormat": "Text",
        "LogGroup": "two",
    }


@pytest.fixture
def mapping(ireland: Connection, runs: None) -> Iterator[tuple[str, dict[str, Any]]]:
    stream = {"streamEnabled": True, "streamViewType": "NEW_AND_OLD_IMAGES"}
    _, source = made(ireland, TABLE, table("source", **stream))
    _, fed = made(ireland, FUNCTION, function("fed"))
    inputs = {
        "functionName": fed["arn"],
        "eventSourceArn": source["streamArn"],
        "startingPosition": "TRIM_HORIZON",
        "batchSize": 5,
        "enabled": True,
    }
    yield made(ireland, MAPPING, {**inputs, "tags": {"team": "orders"}})
    ireland.delete(FUNCTION, "fed", {})
    ireland.delete(TABLE, "source", {})


def test_a_mapping_has_tags(
    ireland: Connection, place: Location, mapping: tuple[str, dict[str, Any]]
) -> None:
    id_, state = mapping
    client: Any = place.clients.functions(place.region)
    assert client.list_tags(Resource=state["arn"])["Tags"] == {"team": "orders"}
    after = {**state, "tags": {"team": "carts"}}
    ireland.update(MAPPING, id_, state, after)
    assert client.list_tags(Resource=state["arn"])["Tags"] == {"team": "carts"}
    ireland.delete(MAPPING, id_, state)


class Lambda:
    """Lambda with transitional states of a mapping, one for each poll."""

    def __init__(self, client: Any, *states: str) -> None:
        self.left = list(states)
        self._get = client.get_event_source_mapping

    def get(self, **request: Any) -> Any:
        answer = self._get(**request)
        return {**answer, "State": self.left.pop(0)} if self.left else answer


def test_a_mapping_that_is_changed_is_awaited(
    ireland: Connection, place: Location, mapping: tuple[str, dict[str, Any]]
) -> None:
    id_, state = mapping
    client: Any = place.clients.functions(place.region)
    slow = Lambda(client, "Updating", "Updating", "Enabled")
    with patch.object(client, "get_event_source_mapping", slow.get):
        ireland.update(MAPPING, id_, state, {**state, "batchSize": 6})
    assert slow.left == []
    ireland.delete(MAPPING, id_, state)


def test_a_mapping_that_is_in_use_is_deleted_when_it_no_longer_is(
    ireland: Connection, place: Location, mapping: tuple[str, dict[str, Any]]
) -> None:
    id_, state = mapping
    client: Any = place.clients.functions(place.region)
    in_use = ClientError({"Error": {"Code": "ResourceInUseException", "Message": ""}}, "Delete")
    delete = client.delete_event_source_mapping
    tries = [in_use, in_use]

    def reluctant(**request: Any) -> Any:
        if tries:
            raise tries.pop()
        return delete(**request)

    with patch.object(client, "delete_event_source_mapping", reluctant):
        ireland.delete(MAPPING, id_, state)
    assert client.list_event_source_mappings()["EventSourceMappings"] == []


def test_a_wait_that_has_no_end_is_given_up_with_what_was_seen(
    ireland: Connection, place: Location, mapping: tuple[str, dict[str, Any]]
) -> None:
    id_, state = mapping
    client: Any = place.clients.functions(place.region)
    endless = Lambda(client, *["Updating"] * 10_000)
    with (
        patch.object(resource_type, "_TIMEOUT", 0.1),
        patch.object(client, "get_event_source_mapping", endless.get),
        pytest.raises(grpc.RpcError, match=r"one \(aws:lambda.* not done after 0.1 s: Updating"),
    ):
        ireland.update(MAPPING, id_, state, {**state, "batchSize": 6})
    ireland.delete(MAPPING, id_, state)
