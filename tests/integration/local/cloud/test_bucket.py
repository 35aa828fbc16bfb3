"""What is said of a bucket, made, read, changed and deleted through AWS's API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.clients import HOME_ACCOUNT, Accounts
from local.cloud.cloud import Change, Cloud, CloudError
from local.cloud.diff import difference
from local.cloud.resources import RESOURCE_TYPES, Location
from local.endpoint.server import LocalServer
from ring.policies.bucket import tls_only
from tests.engine.provider.state import refreshed

POLICY = "aws:s3/bucketPolicy:BucketPolicy"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
ENCRYPTION = (
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
)
NAME, KEY = "ring-quarantine", "arn:aws:kms:eu-west-1:123456789012:key/a"
OTHER = "arn:aws:kms:eu-west-1:123456789012:key/b"
GONE = {
    "id": "deleted",
    "status": "Enabled",
    "filter": {},
    "noncurrentVersionExpiration": {"noncurrentDays": 1},
    "abortIncompleteMultipartUpload": {"daysAfterInitiation": 1},
    "expiration": {"expiredObjectDeleteMarker": True},
}
OLD = {"id": "old", "status": "Enabled", "filter": {}, "expiration": {"days": 30}}


def encryption(key: str) -> list[Any]:
    default = {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": key}
    return [{"applyServerSideEncryptionByDefault": default, "bucketKeyEnabled": True}]


SAID: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    POLICY: (
        {"policy": json.dumps(tls_only(f"arn:aws:s3:::{NAME}"))},
        {"policy": json.dumps(tls_only(f"arn:aws:s3:::{NAME}") | {"Id": "another"})},
    ),
    LIFECYCLE: ({"rules": [GONE]}, {"rules": [GONE, OLD]}),
    ENCRYPTION: ({"rules": encryption(KEY)}, {"rules": encryption(OTHER)}),
}


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with LocalServer() as server, Accounts(server.endpoint) as accounts:
        yield Cloud(accounts)


@pytest.fixture(scope="module")
def place(cloud: Cloud) -> Location:
    place = cloud.location({"region": "eu-west-1"})
    cloud.create("aws:s3/bucket:Bucket", "b", {"bucket": NAME}, place)
    return place


@pytest.mark.parametrize("token", SAID)
def test_it_is_made_read_as_it_was_said_changed_and_deleted(
    cloud: Cloud, place: Location, token: str
) -> None:
    first, second = ({"bucket": NAME, **said} for said in SAID[token])
    made, _ = cloud.create(token, "it", first, place)
    seen = cloud.read(token, "it", made, place)
    assert seen is not None
    assert refreshed(RESOURCE_TYPES[token], first, seen, place) == first
    assert set(difference(RESOURCE_TYPES[token], first, second).changed) == set(SAID[token][0])

    cloud.update(token, "it", made, Change(first, second), place)
    seen = cloud.read(token, "it", made, place)
    assert seen is not None
    assert refreshed(RESOURCE_TYPES[token], second, seen, place) == second

    cloud.delete(token, "it", made, place)
    assert cloud.read(token, "it", made, place) is None
    cloud.delete(token, "it", made, place)


def test_a_rule_that_is_not_known_is_refused(cloud: Cloud, place: Location) -> None:
    moved = {**OLD, "transitions": [{"days": 1, "storageClass": "GLACIER"}]}
    with pytest.raises(CloudError, match=r"transitions.* is not known on this machine"):
        cloud.create(LIFECYCLE, "it", {"bucket": NAME, "rules": [moved]}, place)
    some = {**OLD, "filter": {"prefix": "quarantine/"}}
    with pytest.raises(CloudError, match="a filter is not known"):
        cloud.create(LIFECYCLE, "it", {"bucket": NAME, "rules": [some]}, place)


def test_an_object_is_encrypted_as_the_bucket_says(cloud: Cloud, place: Location) -> None:
    inputs = {"bucket": NAME, "rules": encryption(KEY)}
    made, _ = cloud.create(ENCRYPTION, "it", inputs, place)
    put = place.clients.s3(place.region).put_object(Bucket=NAME, Key="entry", Body=b"")
    cloud.delete(ENCRYPTION, "it", made, place)

    assert (put["ServerSideEncryption"], put["SSEKMSKeyId"]) == ("aws:kms", KEY)


def test_the_loopback_stands_for_tls_and_all_else_that_is_denied_is_denied(
    cloud: Cloud, place: Location
) -> None:
    client = place.clients.s3(place.region)
    document: Any = tls_only(f"arn:aws:s3:::{NAME}")
    made, _ = cloud.create(POLICY, "it", {"bucket": NAME, "policy": json.dumps(document)}, place)
    client.put_object(Bucket=NAME, Key="entry", Body=b"")

    del document["Statement"][0]["Condition"]
    client.put_bucket_policy(Bucket=NAME, Policy=json.dumps(document))
    with pytest.raises(ClientError, match="Forbidden"):
        client.put_object(Bucket=NAME, Key="entry", Body=b"")
    cloud.delete(POLICY, "it", made, place)


def test_a_bucket_of_another_owner_than_is_expected_is_denied(place: Location) -> None:
    client = place.clients.s3(place.region)
    client.put_object(Bucket=NAME, Key="entry", Body=b"", ExpectedBucketOwner=HOME_ACCOUNT)
    other: Any = {"Bucket": NAME, "ExpectedBucketOwner": "210987654321"}

    for call in (
        lambda: client.list_objects_v2(**other),
        lambda: client.get_object(**other, Key="entry"),
        lambda: client.put_object(**other, Key="entry", Body=b""),
        lambda: client.delete_object(**other, Key="entry"),
        lambda: client.delete_objects(**other, Delete={"Objects": [{"Key": "entry"}]}),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            call()
    assert client.get_object(Bucket=NAME, Key="entry")["ContentLength"] == 0
