"""A hop and its stream: it goes on after what was refused, and says when nothing comes any more."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.local_rings import PATIENCE, get, hop_from, item, put, ring_of, wait_for

OFF: Any = {"StreamEnabled": False}
ON: Any = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
MISSING: Any = {"Key": item("missing"), "ConditionExpression": "attribute_exists(id)"}


@pytest.mark.long
def test_a_hop_goes_on_after_a_cancelled_transaction_of_which_it_replicates_nothing() -> None:
    with ring_of(2) as ring:
        client: Any = ring.client("us-east-1")
        ghost = {"Put": {"TableName": "orders", "Item": item("ghost")}}
        check = {**MISSING, "TableName": "orders"}
        with pytest.raises(ClientError, match="TransactionCanceledException"):
            client.transact_write_items(TransactItems=[ghost, {"ConditionCheck": check}])
        put(ring, "us-east-1", item("after"))
        ring.wait_until_quiet(PATIENCE)
        assert get(ring, "eu-west-1", "after") == item("after")
        assert get(ring, "eu-west-1", "ghost") is None
        assert ring.differences() == []


def test_a_hop_whose_stream_was_switched_off_says_so() -> None:
    with ring_of(2) as ring:
        put(ring, "us-east-1", item("last"))
        ring.client("us-east-1").update_table(TableName="orders", StreamSpecification=OFF)
        wait_for(ring, "us-east-1", lambda stats: "has ended" in (stats.trouble or ""))
        assert get(ring, "eu-west-1", "last") == item("last")


@pytest.mark.long
def test_a_stream_that_was_switched_off_and_on_gets_a_mapping_of_its_own() -> None:
    with ring_of(2) as ring:
        hop, client = hop_from(ring, "us-east-1"), ring.client("us-east-1")
        functions: Any = ring.member("us-east-1").clients.functions("us-east-1")
        for specification in (OFF, ON):
            client.update_table(TableName="orders", StreamSpecification=specification)
        put(ring, "us-east-1", item("new"))
        wait_for(ring, "us-east-1", lambda stats: "has ended" in (stats.trouble or ""))
        mapping = functions.get_event_source_mapping(UUID=hop.mapping_id)
        assert mapping["LastProcessingResult"].startswith("PROBLEM: StreamEndedError")
        functions.delete_event_source_mapping(UUID=hop.mapping_id)
        stream = client.describe_table(TableName="orders")["Table"]["LatestStreamArn"]
        functions.create_event_source_mapping(
            FunctionName=hop.function.spec.arn,
            EventSourceArn=stream,
            StartingPosition="TRIM_HORIZON",
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )
        ring.wait_until_quiet(PATIENCE)
        assert get(ring, "eu-west-1", "new") == item("new")
