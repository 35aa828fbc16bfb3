"""What is said of a bucket besides that it is there: its policy, its lifecycle, its encryption."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from local.cloud.resources.resource_type import (
    Created,
    Location,
    Properties,
    ResourceType,
    get_or_none,
)

_AGES = {
    "expiration": (
        "Expiration",
        {"days": "Days", "expiredObjectDeleteMarker": "ExpiredObjectDeleteMarker"},
    ),
    "noncurrentVersionExpiration": (
        "NoncurrentVersionExpiration",
        {"noncurrentDays": "NoncurrentDays"},
    ),
    "abortIncompleteMultipartUpload": (
        "AbortIncompleteMultipartUpload",
        {"daysAfterInitiation": "DaysAfterInitiation"},
    ),
}
"""The parts of a rule: how S3 calls each, and what is in it."""


class _OfBucket(ResourceType):
    """Something that a bucket has once or not at all. Its id is the bucket's name."""

    name = None
    force_new = frozenset({"bucket"})
    computed = frozenset()
    tagged = False

    def create(self, inputs: Properties, location: Location) -> Created:
        """Give it to the bucket."""
        self.update(inputs["bucket"], {}, inputs, location)
        return Created(inputs["bucket"], {})


class BucketPolicy(_OfBucket):
    """aws:s3/bucketPolicy:BucketPolicy.

    moto judges calls by it as if it had no conditions, but for what it says of calls without TLS:
    the loopback stands for that (`local.moto_patches.missing_calls`).
    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/s3/bucket_policy.go
    """

    json_documents = frozenset({"policy"})

    def read(self, id_: str, location: Location) -> Properties | None:
        """Look the policy up."""
        client = location.clients.s3(location.region)
        answer = get_or_none(
            lambda: client.get_bucket_policy(Bucket=id_), "NoSuchBucketPolicy", "NoSuchBucket"
        )
        return {"bucket": id_, "policy": answer["Policy"]} if answer else None

    def update(self, id_: str, old: Properties, new: Properties, location: Location) -> None:
        """Write the policy again."""
        json.loads(new["policy"])  # S3 takes nothing else, and moto anything
        location.clients.s3(location.region).put_bucket_policy(Bucket=id_, Policy=new["policy"])

    def delete(self, id_: str, location: Location) -> None:
        """Take the policy from the bucket."""
        client = location.clients.s3(location.region)
        get_or_none(lambda: client.delete_bucket_policy(Bucket=id_), "NoSuchBucket")


class BucketLifecycleConfiguration(_OfBucket):
    """aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration.

    It is kept, and nothing grows old here: a local ring does not live for days. Rules are for all
    objects alike; a filter or a transition is refused.
    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/s3/bucket_lifecycle_configuration.go
    """

    def read(self, id_: str, location: Location) -> Properties | None:
        """Look the rules up."""
        client = location.clients.s3(location.region)
        answer: Any = get_or_none(
            lambda: client.get_bucket_lifecycle_configuration(Bucket=id_),
            "NoSuchLifecycleConfiguration",
            "NoSuchBucket",
        )
        if answer is None:
            return None
        return {"bucket": id_, "rules": [_read_rule(rule) for rule in answer["Rules"]]}

    def update(self, id_: str, old: Properties, new: Properties, location: Location) -> None:
        """Write the rules again."""
        rules: Any = [_rule(rule) for rule in new["rules"]]
        location.clients.s3(location.region).put_bucket_lifecycle_configuration(
            Bucket=id_, LifecycleConfiguration={"Rules": rules}
        )

    def delete(self, id_: str, location: Location) -> None:
        """Let objects live for ever."""
        client = location.clients.s3(location.region)
        get_or_none(lambda: client.delete_bucket_lifecycle(Bucket=id_), "NoSuchBucket")


class BucketServerSideEncryptionConfiguration(_OfBucket):
    """aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration.

    moto tells with each object that it is encrypted so, and encrypts nothing.
    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/s3/bucket_server_side_encryption_configuration.go
    """

    def read(self, id_: str, location: Location) -> Properties | None:
        """Look up how objects are encrypted by default."""
        client = location.clients.s3(location.region)
        answer: Any = get_or_none(
            lambda: client.get_bucket_encryption(Bucket=id_),
            "ServerSideEncryptionConfigurationNotFoundError",
            "NoSuchBucket",
        )
        if answer is None:
            return None
        rules = answer["ServerSideEncryptionConfiguration"]["Rules"]
        return {"bucket": id_, "rules": [_read_encryption(rule) for rule in rules]}

    def update(self, id_: str, old: Properties, new: Properties, location: Location) -> None:
        """Have objects be encrypted in another way."""
        rules: Any = [_encryption(rule) for rule in new["rules"]]
        location.clients.s3(location.region).put_bucket_encryption(
            Bucket=id_, ServerSideEncryptionConfiguration={"Rules": rules}
        )

    def delete(self, id_: str, location: Location) -> None:
        """Leave encryption to S3's own keys."""
        client = location.clients.s3(location.region)
        get_or_none(lambda: client.delete_bucket_encryption(Bucket=id_), "NoSuchBucket")


def _rule(told: Properties) -> dict[str, Any]:
    unknown = told.keys() - {"id", "status", "filter", *_AGES}
    if unknown or told.get("filter"):
        raise _refused(f"a rule with {sorted(unknown) or 'a filter'}")
    ages = {
        theirs: {there: told[ours][here] for here, there in names.items() if here in told[ours]}
        for ours, (theirs, names) in _AGES.items()
        if ours in told
    }
    return {"ID": told["id"], "Status": told["status"], "Filter": {"Prefix": ""}, **ages}


def _read_rule(rule: Any) -> dict[str, Any]:
    ages = {
        ours: {here: rule[theirs][there] for here, there in names.items() if there in rule[theirs]}
        for ours, (theirs, names) in _AGES.items()
        if theirs in rule
    }
    return {"id": rule["ID"], "status": rule["Status"], "filter": {}, **ages}


def _encryption(told: Properties) -> dict[str, Any]:
    default = told["applyServerSideEncryptionByDefault"]
    key = default.get("kmsMasterKeyId")
    return {
        "ApplyServerSideEncryptionByDefault": {
            "SSEAlgorithm": default["sseAlgorithm"],
            **({"KMSMasterKeyID": key} if key else {}),
        },
        "BucketKeyEnabled": told.get("bucketKeyEnabled", False),
    }


def _read_encryption(rule: Any) -> dict[str, Any]:
    default = rule["ApplyServerSideEncryptionByDefault"]
    key = default.get("KMSMasterKeyID")
    return {
        "applyServerSideEncryptionByDefault": {
            "sseAlgorithm": default["SSEAlgorithm"],
            **({"kmsMasterKeyId": key} if key else {}),
        },
        "bucketKeyEnabled": rule.get("BucketKeyEnabled", False),
    }


def _refused(what: str) -> ClientError:
    return ClientError(
        {"Error": {"Code": "NotImplemented", "Message": f"{what} is not known on this machine"}},
        "PutBucketLifecycleConfiguration",
    )
