"""Buckets, and what closes them to the public."""

from __future__ import annotations

from typing import Any

from local.cloud.resources.resource_type import (
    Created,
    Location,
    Properties,
    ResourceType,
    as_map,
    found,
)
from ring.arn import Arn, partition_of

_BLOCKS = {
    "blockPublicAcls": "BlockPublicAcls",
    "blockPublicPolicy": "BlockPublicPolicy",
    "ignorePublicAcls": "IgnorePublicAcls",
    "restrictPublicBuckets": "RestrictPublicBuckets",
}


class Bucket(ResourceType):
    """aws:s3/bucket:Bucket.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/s3/bucket.go
    """

    name = "bucket"
    fixed = frozenset({"bucket", "bucketPrefix"})
    computed = frozenset({"arn"})
    unread = frozenset({"forceDestroy", "bucketPrefix"})
    longest = 63

    def create(self, inputs: Properties, place: Location) -> Created:
        """Make the bucket."""
        name = inputs["bucket"]
        client = place.clients.s3(place.region)
        # us-east-1 is the one region that must not be named.
        # https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
        elsewhere: Any = {"CreateBucketConfiguration": {"LocationConstraint": place.region}}
        client.create_bucket(Bucket=name, **(elsewhere if place.region != "us-east-1" else {}))
        self._tag(name, inputs, place)
        return Created(name, {"arn": _arn(name, place), "region": place.region})

    def _tag(self, name: str, inputs: Properties, place: Location) -> None:
        client = place.clients.s3(place.region)
        if tags := place.tag_list(inputs):
            client.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags})
        else:
            client.delete_bucket_tagging(Bucket=name)

    def read(self, id_: str, place: Location) -> Properties | None:
        """Look whether the bucket is there, and at its tags."""
        client = place.clients.s3(place.region)
        if found(lambda: client.head_bucket(Bucket=id_), "404", "NoSuchBucket") is None:
            return None
        tags = found(lambda: client.get_bucket_tagging(Bucket=id_), "NoSuchTagSet")
        return {
            "bucket": id_,
            "arn": _arn(id_, place),
            "region": place.region,
            "tagsAll": as_map(tags["TagSet"]) if tags else {},
        }

    def update(self, id_: str, old: Properties, new: Properties, place: Location) -> None:
        """Change its tags: nothing else of it can be said here."""
        self._tag(id_, new, place)

    def delete(self, id_: str, place: Location) -> None:
        """Delete the bucket. AWS refuses while there is anything in it."""
        client = place.clients.s3(place.region)
        found(lambda: client.delete_bucket(Bucket=id_), "NoSuchBucket")

    def delete_as(self, outputs: Properties, id_: str, place: Location) -> None:
        """Empty it first, if it may be."""
        if outputs.get("forceDestroy"):
            self._empty(id_, place.clients.s3(place.region))
        self.delete(id_, place)

    def _empty(self, id_: str, client: Any) -> None:
        while objects := client.list_objects_v2(Bucket=id_).get("Contents"):
            for one in objects:
                client.delete_object(Bucket=id_, Key=one["Key"])


class BucketPublicAccessBlock(ResourceType):
    """aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock. Its id is the bucket's name.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/s3/bucket_public_access_block.go
    """

    name = None
    fixed = frozenset({"bucket"})
    computed = frozenset()
    tagged = False

    def create(self, inputs: Properties, place: Location) -> Created:
        """Close the bucket to the public."""
        self._put(inputs["bucket"], inputs, place)
        return Created(inputs["bucket"], {})

    def _put(self, bucket: str, inputs: Properties, place: Location) -> None:
        blocks: Any = {theirs: inputs.get(ours, False) for ours, theirs in _BLOCKS.items()}
        place.clients.s3(place.region).put_public_access_block(
            Bucket=bucket, PublicAccessBlockConfiguration=blocks
        )

    def read(self, id_: str, place: Location) -> Properties | None:
        """Look at how the bucket is closed."""
        client = place.clients.s3(place.region)
        answer: Any = found(
            lambda: client.get_public_access_block(Bucket=id_),
            "NoSuchPublicAccessBlockConfiguration",
            "NoSuchBucket",
        )
        if answer is None:
            return None
        blocks = answer["PublicAccessBlockConfiguration"]
        return {"bucket": id_, **{ours: blocks[theirs] for ours, theirs in _BLOCKS.items()}}

    def update(self, id_: str, old: Properties, new: Properties, place: Location) -> None:
        """Close it in another way."""
        self._put(id_, new, place)

    def delete(self, id_: str, place: Location) -> None:
        """Leave the bucket open to what its policy says."""
        client = place.clients.s3(place.region)
        found(lambda: client.delete_public_access_block(Bucket=id_), "NoSuchBucket")


def _arn(bucket: str, place: Location) -> str:
    return str(Arn(partition_of(place.region), "s3", "", "", bucket))
