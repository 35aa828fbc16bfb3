"""IAM roles."""

from __future__ import annotations

import json
from typing import Any

from local.cloud.resources.resource_type import (
    Created,
    Location,
    Properties,
    ResourceType,
    as_list,
    as_map,
    get_or_none,
    has_changed,
    update_tags,
)

_MISSING = "NoSuchEntity"


class Role(ResourceType):
    """aws:iam/role:Role.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/iam/role.go
    """

    force_new = frozenset({"name", "namePrefix", "path"})
    computed = frozenset({"arn", "uniqueId"})
    max_name_length = 64
    regional = False
    json_documents = frozenset({"assumeRolePolicy"})
    optional_computed = frozenset({"inlinePolicies", "managedPolicyArns"})

    def create(self, inputs: Properties, location: Location) -> Created:
        """Create the role."""
        role = location.clients.iam(location.region).create_role(
            RoleName=inputs["name"],
            AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
            Description=inputs.get("description", ""),
            Tags=location.tag_list(inputs),
        )["Role"]
        return Created(role["RoleName"], {"arn": role["Arn"], "uniqueId": role["RoleId"]})

    def read(self, id_: str, location: Location) -> Properties | None:
        """Get the role."""
        client = location.clients.iam(location.region)
        response = get_or_none(lambda: client.get_role(RoleName=id_), _MISSING)
        if response is None:
            return None
        role = response["Role"]
        attached = client.list_attached_role_policies(RoleName=id_)["AttachedPolicies"]
        return {
            "name": id_,
            "arn": role["Arn"],
            "uniqueId": role["RoleId"],
            "assumeRolePolicy": json.dumps(role["AssumeRolePolicyDocument"]),
            "description": role.get("Description", ""),
            "inlinePolicies": self._policies(id_, client),
            "managedPolicyArns": [policy["PolicyArn"] for policy in attached],
            "tagsAll": as_map(client.list_role_tags(RoleName=id_)["Tags"]),
        }

    def _policies(self, id_: str, client: Any) -> list[dict[str, str]]:
        """Return all inline policies of the role, including those put by other resources."""
        return [
            {
                "name": name,
                "policy": json.dumps(
                    client.get_role_policy(RoleName=id_, PolicyName=name)["PolicyDocument"]
                ),
            }
            for name in client.list_role_policies(RoleName=id_)["PolicyNames"]
        ]

    def update(self, id_: str, old: Properties, new: Properties, location: Location) -> None:
        """Update its description, trust policy and tags."""
        client = location.clients.iam(location.region)
        if has_changed(old, new, "description"):
            client.update_role_description(RoleName=id_, Description=new.get("description", ""))
        if has_changed(old, new, "assumeRolePolicy"):
            client.update_assume_role_policy(RoleName=id_, PolicyDocument=new["assumeRolePolicy"])
        update_tags(
            as_map(client.list_role_tags(RoleName=id_)["Tags"]),
            location.tags(new),
            lambda keys: client.untag_role(RoleName=id_, TagKeys=keys),
            lambda tags: client.tag_role(RoleName=id_, Tags=as_list(tags)),
        )

    def delete(self, id_: str, location: Location) -> None:
        """Delete the role. AWS refuses this while it has policies."""
        client = location.clients.iam(location.region)
        get_or_none(lambda: client.delete_role(RoleName=id_), _MISSING)
