"""Errors of AWS during `up` with the real engine: reported, and the next `up` continues."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError
from pulumi.automation import CommandError

from tests.engine.replication import check_replication, running
from tests.engine.stacks import Engine, EngineStack

pytestmark = pytest.mark.long

TABLE: dict[str, Any] = {
    "name": "orders",
    "partition_key": {"name": "id", "type": "S"},
    "ttl": {"attribute": "expires"},
}
HERE, THERE = "us-east-1", "eu-west-1"
DENIED = ClientError(
    {
        "Error": {
            "Code": "AccessDeniedException",
            "Message": "User: me is not authorized to perform: lambda:CreateEventSourceMapping",
        }
    },
    "CreateEventSourceMapping",
)
LIMIT = ClientError(
    {"Error": {"Code": "ServiceQuotaExceededException", "Message": "Too many mappings."}},
    "CreateEventSourceMapping",
)
THROTTLED = ClientError(
    {"Error": {"Code": "ThrottlingException", "Message": "Slow down."}}, "UpdateTimeToLive"
)


@pytest.fixture(scope="module")
def stack(engine: Engine) -> EngineStack:
    return engine.stack(
        "failing", {"table": TABLE, "members": [{"region": HERE}, {"region": THERE}]}
    )


@contextmanager
def refusing(client: Any, operation: str, error: ClientError) -> Iterator[None]:
    """Let AWS refuse an operation. The provider has the same client."""
    with patch.object(client, operation, side_effect=error):
        yield


def error_of(stack: EngineStack) -> str:
    """Return what a failed up says in the end."""
    with pytest.raises(CommandError) as failed:
        stack.up(continue_on_error=True)  # or the first refusal would keep us from the second
    return str(failed.value).partition("Diagnostics:")[2]


def test_a_name_that_exists_and_a_table_that_is_made_in_part_are_reported(
    engine: Engine, stack: EngineStack
) -> None:
    here = engine.place(HERE).clients.dynamodb(HERE)
    there = engine.place(THERE).clients.dynamodb(THERE)
    there.create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    with refusing(here, "update_time_to_live", THROTTLED):
        text = error_of(stack)
    assert "ring-eu-west-1 (aws:dynamodb/table:Table)" in text
    assert "Table already exists: orders" in text
    assert "orders was created, but not completely." in text
    assert "Slow down." in text
    there.delete_table(TableName="orders")


def test_no_permission_and_a_limit_are_reported_and_what_was_begun_is_finished(
    engine: Engine, stack: EngineStack
) -> None:
    here = engine.place(HERE).clients.functions(HERE)
    there = engine.place(THERE).clients.functions(THERE)
    before = stream(engine)
    with (
        refusing(here, "create_event_source_mapping", DENIED),
        refusing(there, "create_event_source_mapping", LIMIT),
    ):
        text = error_of(stack)
    assert "not authorized to perform: lambda:CreateEventSourceMapping" in text
    assert "Too many mappings." in text
    assert stream(engine) == before
    client = engine.place(HERE).clients.dynamodb(HERE)
    expiry = client.describe_time_to_live(TableName="orders")["TimeToLiveDescription"]
    assert expiry["TimeToLiveStatus"] == "ENABLED"


def stream(engine: Engine) -> str:
    """The stream of the table that was made first: it is another one if the table is."""
    client = engine.place(HERE).clients.dynamodb(HERE)
    arn: str = client.describe_table(TableName="orders")["Table"]["LatestStreamArn"]
    return arn


def test_the_next_up_makes_the_rest_and_it_replicates(engine: Engine, stack: EngineStack) -> None:
    before = stream(engine)
    assert set(stack.up()) <= {"same", "create", "update"}
    assert stream(engine) == before
    with running(stack) as ring:
        check_replication(engine, stack, ring)


def test_another_key_would_replace_the_table_and_is_refused_with_nothing_lost(
    engine: Engine, stack: EngineStack
) -> None:
    client = engine.place(HERE).clients.dynamodb(HERE)
    items = client.scan(TableName="orders")["Items"]
    stack.configure(table={**TABLE, "partition_key": {"name": "other", "type": "S"}})
    assert stack.preview()["replace"] > 0
    assert "Table already exists: orders" in error_of(stack)
    stack.configure(table=TABLE)
    assert set(stack.preview()) == {"same"}
    assert client.scan(TableName="orders")["Items"] == items


def test_tables_that_are_not_protected_go_with_the_stack(
    engine: Engine, stack: EngineStack
) -> None:
    stack.configure(table={**TABLE, "deletion_protection": False})
    assert stack.up()["update"] == 2
    stack.destroy()
    for region in (HERE, THERE):
        client = engine.place(region).clients.dynamodb(region)
        assert client.list_tables()["TableNames"] == []
