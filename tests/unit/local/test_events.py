"""What a function is given, and what a failure destination is given, field by field."""

from __future__ import annotations

import re
from dataclasses import replace

from handler.envelope import check_records
from handler.protocol.decide import ReplicaId
from local.lambda_emulator.batching import AbandonedBatch, Batch
from local.lambda_emulator.events import (
    FailurePlace,
    event_of,
    failure_key,
    failure_record,
    partition_key,
    to_event_record,
)
from tests.support.samples import NOON, STREAM, streamed

PLACE = FailurePlace(
    mapping="11111111-2222-3333-4444-555555555555",
    function_arn="arn:aws:lambda:eu-west-1:123456789012:function:hop",
    stream_arn=STREAM,
    shard="shardId-0001",
)


def test_a_record_names_where_it_comes_from() -> None:
    event = to_event_record(streamed(7), STREAM)
    assert event["eventSourceARN"] == STREAM
    assert event["awsRegion"] == "eu-west-1"
    assert event["eventName"] == "INSERT"
    assert event["eventSource"] == "aws:dynamodb"
    assert event["dynamodb"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    check_records([event], ReplicaId("aaaaaaaa", "eu-west-1", "orders"))
    assert event["dynamodb"]["SequenceNumber"] == "7"


def test_a_records_time_is_in_whole_seconds_rounded_down() -> None:
    event = to_event_record(streamed(1, created=NOON + 0.999), STREAM)
    assert event["dynamodb"]["ApproximateCreationDateTime"] == int(NOON)


def test_an_expiry_by_ttl_is_marked_in_small_letters() -> None:
    expired = {
        **streamed(1),
        "userIdentity": {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"},
    }
    assert to_event_record(expired, STREAM)["userIdentity"] == {
        "type": "Service",
        "principalId": "dynamodb.amazonaws.com",
    }
    assert "userIdentity" not in to_event_record(streamed(1), STREAM)


def test_equal_partition_keys_are_equal_whatever_the_record() -> None:
    one = to_event_record(streamed(1, "a"), STREAM)
    other = to_event_record(streamed(2, "a"), STREAM)
    third = to_event_record(streamed(3, "b"), STREAM)
    assert partition_key(one, "id") == partition_key(other, "id") != partition_key(third, "id")


def lost() -> AbandonedBatch:
    records = [
        to_event_record(streamed(number, created=NOON + number), STREAM) for number in (3, 4)
    ]
    return AbandonedBatch(
        Batch(tuple(records), failures=3, invocations=4), "RetryAttemptsExhausted"
    )


def test_a_failure_record_has_what_lambda_documents() -> None:
    document = failure_record(lost(), PLACE, NOON + 60.5)
    assert document.pop("payload") == event_of(lost().batch.records)
    assert re.fullmatch("[0-9a-f-]{36}", document["requestContext"].pop("requestId"))
    assert document == {
        "requestContext": {
            "functionArn": PLACE.function_arn,
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 4,
        },
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        },
        "version": "1.0",
        "timestamp": "2023-11-14T22:14:20.500Z",
        "DDBStreamBatchInfo": {
            "shardId": "shardId-0001",
            "startSequenceNumber": "3",
            "endSequenceNumber": "4",
            "approximateArrivalOfFirstRecord": "2023-11-14T22:13:23Z",
            "approximateArrivalOfLastRecord": "2023-11-14T22:13:24Z",
            "batchSize": 2,
            "streamArn": STREAM,
        },
    }


def test_records_that_grew_too_old_have_no_answer_of_the_function() -> None:
    document = failure_record(replace(lost(), reason="RecordAgeExceeded"), PLACE, NOON)
    assert document["requestContext"]["condition"] == "RecordAgeExceeded"
    assert "responseContext" not in document


def test_a_failure_records_object_is_named_as_lambda_names_it() -> None:
    uuid = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    assert re.fullmatch(
        f"aws/lambda/{PLACE.mapping}/shardId-0001/2023/11/14/2023-11-14T22[.]13[.]20-{uuid}",
        failure_key(PLACE, NOON),
    )
