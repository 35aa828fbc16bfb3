"""`pulumi preview` and `pulumi up` alone, where a table is adopted that no hop could read."""

from __future__ import annotations

import pytest
from pulumi.automation import CommandError

from tests.engine.stacks import Engine, EngineStack

pytestmark = [
    pytest.mark.long,
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited"),
]

HERE, THERE = "us-east-1", "eu-west-1"


@pytest.fixture(scope="module")
def stack(engine: Engine) -> EngineStack:
    table = (
        engine.place(HERE)
        .clients.dynamodb(HERE)
        .create_table(
            TableName="orders",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
        )["TableDescription"]
    )
    members = [{"region": HERE, "stream_arn": table["LatestStreamArn"]}, {"region": THERE}]
    keys = {"partition_key": {"name": "id", "type": "S"}}
    return engine.stack("adopting", {"table": {"name": "orders", **keys}, "members": members})


def said(error: CommandError) -> str:
    return str(error).partition("Diagnostics:")[2]


def test_a_preview_says_why_the_table_cannot_be_adopted_and_what_to_do(stack: EngineStack) -> None:
    with pytest.raises(CommandError) as failed:
        stack.preview()
    assert "has the view type KEYS_ONLY, and a hop needs NEW_AND_OLD_IMAGES" in said(failed.value)
    assert "enable it again with NEW_AND_OLD_IMAGES" in said(failed.value)
    assert "Traceback" not in said(failed.value)


def test_without_a_preview_no_hop_reads_it(engine: Engine, stack: EngineStack) -> None:
    with pytest.raises(CommandError, match="view type KEYS_ONLY"):
        stack.up()
    client = engine.place(HERE).clients.functions(HERE)
    assert client.list_event_source_mappings()["EventSourceMappings"] == []
    assert "orders" in engine.place(HERE).clients.dynamodb(HERE).list_tables()["TableNames"]
