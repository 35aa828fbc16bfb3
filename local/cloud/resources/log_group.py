"""Log groups."""

from __future__ import annotations

from typing import Any

from local.cloud.resources.resource_type import (
    Created,
    Location,
    Properties,
    ResourceType,
    changed,
    found,
    retag,
)
from ring.arn import Arn, partition_of

_MISSING = "ResourceNotFoundException"


class LogGroup(ResourceType):
    """aws:cloudwatch/logGroup:LogGroup.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/logs/group.go
    """

    fixed = frozenset({"name", "namePrefix", "logGroupClass"})
    unread = frozenset({"namePrefix"})

    def create(self, inputs: Properties, place: Location) -> Created:
        """Make the log group, with its retention."""
        client = place.clients.logs(place.region)
        name, key = inputs["name"], inputs.get("kmsKeyId")
        encrypted: Any = {"kmsKeyId": key} if key else {}
        client.create_log_group(logGroupName=name, tags=place.tags(inputs), **encrypted)
        if days := inputs.get("retentionInDays"):
            client.put_retention_policy(logGroupName=name, retentionInDays=days)
        return Created(name, {"arn": _arn(name, place)})

    def read(self, id_: str, place: Location) -> Properties | None:
        """Find the log group among those whose names begin like its own."""
        client = place.clients.logs(place.region)
        groups = client.describe_log_groups(logGroupNamePrefix=id_)["logGroups"]
        for group in groups:
            if group["logGroupName"] == id_:
                arn = _arn(id_, place)
                tags = client.list_tags_for_resource(resourceArn=arn)["tags"]
                key = group.get("kmsKeyId")
                return {
                    "name": id_,
                    "arn": arn,
                    **({"kmsKeyId": key} if key else {}),
                    "retentionInDays": group.get("retentionInDays", 0),
                    "tagsAll": tags,
                }
        return None

    def update(self, id_: str, old: Properties, new: Properties, place: Location) -> None:
        """Change its retention, its key and its tags."""
        client = place.clients.logs(place.region)
        if changed(old, new, "kmsKeyId"):
            if key := new.get("kmsKeyId"):
                client.associate_kms_key(logGroupName=id_, kmsKeyId=key)
            else:
                client.disassociate_kms_key(logGroupName=id_)
        if days := new.get("retentionInDays"):
            client.put_retention_policy(logGroupName=id_, retentionInDays=days)
        else:
            client.delete_retention_policy(logGroupName=id_)
        arn = _arn(id_, place)
        retag(
            client.list_tags_for_resource(resourceArn=arn)["tags"],
            place.tags(new),
            lambda gone: client.untag_resource(resourceArn=arn, tagKeys=gone),
            lambda put: client.tag_resource(resourceArn=arn, tags=put),
        )

    def delete(self, id_: str, place: Location) -> None:
        """Delete the log group and what is in it."""
        client = place.clients.logs(place.region)
        found(lambda: client.delete_log_group(logGroupName=id_), _MISSING)


def _arn(name: str, place: Location) -> str:
    partition = partition_of(place.region)
    return str(Arn(partition, "logs", place.region, place.account, f"log-group:{name}"))
