"""Formats of what Lambda sends: events with stream records, and failure records in S3."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local.lambda_emulator.batching import created_at, sequence_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from local.lambda_emulator.batching import AbandonedBatch, Record


def to_event_record(record: Mapping[str, Any], stream_arn: str) -> Record:
    """Convert a stream record, as `RecordClient` returns it, to a record of a Lambda event.

    The time is in whole seconds, binary values are base64 text (as they are in the record), and the
    fields of userIdentity (present if DynamoDB's TTL deleted the item) start with lower-case
    letters. https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
    """
    change = dict(record["dynamodb"])
    change["ApproximateCreationDateTime"] = int(change["ApproximateCreationDateTime"].timestamp())
    event = {
        "eventID": record["eventID"],
        "eventName": record["eventName"],
        "eventVersion": record["eventVersion"],
        "eventSource": record["eventSource"],
        "awsRegion": stream_arn.split(":")[3],
        "dynamodb": change,
        "eventSourceARN": stream_arn,
    }
    if "userIdentity" in record:
        identity = record["userIdentity"]
        event["userIdentity"] = {
            "type": identity["Type"],
            "principalId": identity["PrincipalId"],
        }
    return event


@dataclass(frozen=True)
class FailurePlace:
    """Mapping, function, stream and shard of a discarded batch, for its failure record."""

    mapping: str
    function_arn: str
    stream_arn: str
    shard: str


def failure_record(given_up: AbandonedBatch, place: FailurePlace, now: float) -> dict[str, Any]:
    """Return the JSON document that Lambda puts into an S3 failure destination.

    `now` is in seconds since 1970. A batch that became too old has no responseContext. For the
    fields and an example see
    https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
    """
    records = given_up.batch.records
    document: dict[str, Any] = {
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": place.function_arn,
            "condition": given_up.reason,
            "approximateInvokeCount": given_up.batch.invocations,
        },
        "version": "1.0",
        "timestamp": _utc(now).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "DDBStreamBatchInfo": {
            "shardId": place.shard,
            "startSequenceNumber": sequence_number(records[0]),
            "endSequenceNumber": sequence_number(records[-1]),
            "approximateArrivalOfFirstRecord": _arrival(records[0]),
            "approximateArrivalOfLastRecord": _arrival(records[-1]),
            "batchSize": len(records),
            "streamArn": place.stream_arn,
        },
        "payload": event_of(records),
    }
    if given_up.reason == "RetryAttemptsExhausted":
        document["responseContext"] = {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        }
    return document


def failure_key(place: FailurePlace, now: float) -> str:
    """Return the object key of a failure record.

    https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
    """
    when = _utc(now)
    day, second = when.strftime("%Y/%m/%d"), when.strftime("%Y-%m-%dT%H.%M.%S")
    return f"aws/lambda/{place.mapping}/{place.shard}/{day}/{second}-{uuid.uuid4()}"


def event_of(records: Sequence[Record]) -> dict[str, Any]:
    """Return the event with which a function is invoked for these records."""
    return {"Records": list(records)}


def partition_key(record: Record, name: str) -> str:
    """Return the value of a record's partition key as text, unique for each value."""
    return json.dumps(record["dynamodb"]["Keys"][name], sort_keys=True)


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _arrival(record: Record) -> str:
    return _utc(created_at(record)).strftime("%Y-%m-%dT%H:%M:%SZ")
