"""The failure destination: a bucket that keeps given-up batches whole."""

from __future__ import annotations

import json

from local.clients import Clients
from local.endpoint.server import LocalServer
from local.lambda_emulator.batching import AbandonedBatch, Batch
from local.lambda_emulator.events import FailurePlace, failure_record, to_event_record
from local.lambda_emulator.failure_destination import S3Destination
from tests.support.samples import NOON, STREAM, streamed

PLACE = FailurePlace("11111111-2222-3333-4444-555555555555", "arn:f", STREAM, "shardId-1")


def test_a_batch_that_was_given_up_is_in_the_bucket_whole() -> None:
    batch = Batch((to_event_record(streamed(1, NewImage={"b": {"B": "AA=="}}), STREAM),))
    lost = AbandonedBatch(batch, "RetryAttemptsExhausted")
    with LocalServer() as server, Clients(server.endpoint) as clients:
        s3 = clients.s3("us-east-1")
        s3.create_bucket(Bucket="lost")
        S3Destination(s3, "lost", PLACE).take(lost, NOON)
        (entry,) = s3.list_objects_v2(Bucket="lost")["Contents"]
        assert entry["Key"].startswith(f"aws/lambda/{PLACE.mapping}/shardId-1/2023/11/14/")
        body = json.loads(s3.get_object(Bucket="lost", Key=entry["Key"])["Body"].read())
    expected = failure_record(lost, PLACE, NOON)
    del body["requestContext"]["requestId"], expected["requestContext"]["requestId"]
    assert body == expected
    assert body["payload"]["Records"][0]["dynamodb"]["NewImage"] == {"b": {"B": "AA=="}}
