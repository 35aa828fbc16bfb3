"""S3 buckets and their public access blocks."""

from __future__ import annotations

from typing import Any

from local.cloud.resources.resource_type import (
    Created,
    Location,
    Properties,
    ResourceType,
    as_map,
    get_or_none,
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
    force_new = frozenset({"bucket", "bucketPrefix"})
    computed = frozenset({"arn"})
    write_only = frozenset({"forceDestroy", "bucketPrefix"})
    max_name_length = 63

    def create(self, inputs: Properties, location: Location) -> Created:
        """Create the bucket."""
        name = inputs["bucket"]
        client = location.clients.s3(location.region)
        # us-east-1 is the default and must not be given as a constraint.
        # https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
        constraint: Any = {"CreateBucketConfiguration": {"LocationConstraint": location.region}}
        client.create_bucket(Bucket=name, **(constraint if location.region != "us-east-1" else {}))
        self._tag(name, inputs, location)
        return Created(name, {"arn": _arn(name, location), "region": location.region})

    def _tag(self, name: str, inputs: Properties, location: Location) -> None:
        client = location.clients.s3(location.region)
        if tags := location.tag_list(inputs):
            client.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags})
        else:
            client.delete_bucket_tagging(Bucket=name)

    def read(self, id_: str, location: Location) -> Properties | None:
        """Read the bucket's existence and tags."""
        client = location.clients.s3(location.region)
        if get_or_none(lambda: client.head_bucket(Bucket=id_), "404", "NoSuchBucket") is None:
            return None
        tags = get_or_none(lambda: client.get_bucket_tagging(Bucket=id_), "NoSuchTagSet")
        return {
            "bucket": id_,
            "arn": _arn(id_, location),
            "region": location.region,
            "tagsAll": as_map(tags["TagSet"]) if tags else {},
        }

    def update(self, id_: str, old: Properties, new: Properties, location: Location) -> None:
        """Update its tags; other inputs are not supported."""
        self._tag(id_, new, location)

    def delete(self, id_: str, location: Location) -> None:
        """Delete the bucket. AWS refuses this unless it is empty."""
        client = location.clients.s3(location.region)
        get_or_none(lambda: client.delete_bucket(Bucket=id_), "NoSuchBucket")

    def delete_with_outputs(self, outputs: Properties, id_: str, location: Location) -> None:
        """Delete the bucket; empty it first with `forceDestroy`."""
        if outputs.get("forceDestroy"):
            self._empty(id_, location.clients.s3(location.region))
        self.delete(id_, location)

    def _empty(self, id_: str, client: Any) -> None:
        while objects := client.list_objects_v2(Bucket=id_).get("Contents"):
            for listed in objects:
                client.delete_object(Bucket=id_, Key=listed["Key"])


class BucketPublicAccessBlock(ResourceType):
    """aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock. Its id is the bucket's name.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/s3/bucket_public_access_block.go
    """

    name = None
    force_new = frozenset({"bucket"})
    computed = frozenset()
    tagged = False

    def create(self, inputs: Properties, location: Location) -> Created:
        """Put the bucket's public access block."""
        self._put(inputs["bucket"], inputs, location)
        return Created(inputs["bucket"], {})

    def _put(self, bucket: str, inputs: Properties, location: Location) -> None:
        blocks: Any = {theirs: inputs.get(ours, False) for ours, theirs in _BLOCKS.items()}
        location.clients.s3(location.region).put_public_access_block(
            Bucket=bucket, PublicAccessBlockConfiguration=blocks
        )

    def read(self, id_: str, location: Location) -> Properties | None:
        """Read the bucket's public access block."""
        client = location.clients.s3(location.region)
        response: Any = get_or_none(
            lambda: client.get_public_access_block(Bucket=id_),
            "NoSuchPublicAccessBlockConfiguration",
            "NoSuchBucket",
        )
        if response is None:
            return None
        blocks = response["PublicAccessBlockConfiguration"]
        return {"bucket": id_, **{ours: blocks[theirs] for ours, theirs in _BLOCKS.items()}}

    def update(self, id_: str, old: Properties, new: Properties, location: Location) -> None:
        """Put the block again."""
        self._put(id_, new, location)

    def delete(self, id_: str, location: Location) -> None:
        """Delete the block."""
        client = location.clients.s3(location.region)
        get_or_none(lambda: client.delete_public_access_block(Bucket=id_), "NoSuchBucket")


def _arn(bucket: str, location: Location) -> str:
    return str(Arn(partition_of(location.region), "s3", "", "", bucket))
