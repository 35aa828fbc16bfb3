"""CloudWatch log groups."""

from __future__ import annotations

from typing import Any

from local.cloud.resources.resource_type import (
    Created,
    Location,
    Properties,
    ResourceType,
    get_or_none,
    has_changed,
    update_tags,
)
from ring.arn import Arn, partition_of

_MISSING = "ResourceNotFoundException"


class LogGroup(ResourceType):
    """aws:cloudwatch/logGroup:LogGroup.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/logs/group.go
    """

    force_new = frozenset({"name", "namePrefix", "logGroupClass"})
    write_only = frozenset({"namePrefix"})

    def create(self, inputs: Properties, location: Location) -> Created:
        """Make the log group, with its retention."""
        client = location.clients.logs(location.region)
        name, key = inputs["name"], inputs.get("kmsKeyId")
        encrypted: Any = {"kmsKeyId": key} if key else {}
        client.create_log_group(logGroupName=name, tags=location.tags(inputs), **encrypted)
        if days := inputs.get("retentionInDays"):
            client.put_retention_policy(logGroupName=name, retentionInDays=days)
        return Created(name, {"arn": _arn(name, location)})

    def read(self, id_: str, location: Location) -> Properties | None:
        """Find the log group among those with its name as a prefix."""
        client = location.clients.logs(location.region)
        groups = client.describe_log_groups(logGroupNamePrefix=id_)["logGroups"]
        for group in groups:
            if group["logGroupName"] == id_:
                arn = _arn(id_, location)
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

    def update(self, id_: str, old: Properties, new: Properties, location: Location) -> None:
        """Change its retention, its key and its tags."""
        client = location.clients.logs(location.region)
        if has_changed(old, new, "kmsKeyId"):
            if key := new.get("kmsKeyId"):
                client.associate_kms_key(logGroupName=id_, kmsKeyId=key)
            else:
                client.disassociate_kms_key(logGroupName=id_)
        if days := new.get("retentionInDays"):
            client.put_retention_policy(logGroupName=id_, retentionInDays=days)
        else:
            client.delete_retention_policy(logGroupName=id_)
        arn = _arn(id_, location)
        update_tags(
            client.list_tags_for_resource(resourceArn=arn)["tags"],
            location.tags(new),
            lambda keys: client.untag_resource(resourceArn=arn, tagKeys=keys),
            lambda tags: client.tag_resource(resourceArn=arn, tags=tags),
        )

    def delete(self, id_: str, location: Location) -> None:
        """Delete the log group with its streams."""
        client = location.clients.logs(location.region)
        get_or_none(lambda: client.delete_log_group(logGroupName=id_), _MISSING)


def _arn(name: str, location: Location) -> str:
    partition = partition_of(location.region)
    return str(Arn(partition, "logs", location.region, location.account, f"log-group:{name}"))
