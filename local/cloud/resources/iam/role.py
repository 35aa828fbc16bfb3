"""Roles."""

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
    changed,
    found,
    retag,
)

_MISSING = "NoSuchEntity"


class Role(ResourceType):
    """aws:iam/role:Role.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/iam/role.go
    """

    fixed = frozenset({"name", "namePrefix", "path"})
    computed = frozenset({"arn", "uniqueId"})
    longest = 64
    regional = False
    documents = frozenset({"assumeRolePolicy"})
    kept = frozenset({"inlinePolicies", "managedPolicyArns"})

    def create(self, inputs: Properties, place: Location) -> Created:
        """Make the role."""
        role = place.clients.iam(place.region).create_role(
            RoleName=inputs["name"],
            AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
            Description=inputs.get("description", ""),
            Tags=place.tag_list(inputs),
        )["Role"]
        return Created(role["RoleName"], {"arn": role["Arn"], "uniqueId": role["RoleId"]})

    def read(self, id_: str, place: Location) -> Properties | None:
        """Look the role up."""
        client = place.clients.iam(place.region)
        answer = found(lambda: client.get_role(RoleName=id_), _MISSING)
        if answer is None:
            return None
        role = answer["Role"]
        return {
            "name": id_,
            "arn": role["Arn"],
            "uniqueId": role["RoleId"],
            "assumeRolePolicy": json.dumps(role["AssumeRolePolicyDocument"]),
            "description": role.get("Description", ""),
            "inlinePolicies": self._policies(id_, client),
            "managedPolicyArns": [
                one["PolicyArn"]
                for one in client.list_attached_role_policies(RoleName=id_)["AttachedPolicies"]
            ],
            "tagsAll": as_map(client.list_role_tags(RoleName=id_)["Tags"]),
        }

    def _policies(self, id_: str, client: Any) -> list[dict[str, str]]:
        """Return all policies in the role, whoever has put them there."""
        return [
            {
                "name": name,
                "policy": json.dumps(
                    client.get_role_policy(RoleName=id_, PolicyName=name)["PolicyDocument"]
                ),
            }
            for name in client.list_role_policies(RoleName=id_)["PolicyNames"]
        ]

    def update(self, id_: str, old: Properties, new: Properties, place: Location) -> None:
        """Change what it says of itself, who may take it, and its tags."""
        client = place.clients.iam(place.region)
        if changed(old, new, "description"):
            client.update_role_description(RoleName=id_, Description=new.get("description", ""))
        if changed(old, new, "assumeRolePolicy"):
            client.update_assume_role_policy(RoleName=id_, PolicyDocument=new["assumeRolePolicy"])
        retag(
            as_map(client.list_role_tags(RoleName=id_)["Tags"]),
            place.tags(new),
            lambda gone: client.untag_role(RoleName=id_, TagKeys=gone),
            lambda put: client.tag_role(RoleName=id_, Tags=as_list(put)),
        )

    def delete(self, id_: str, place: Location) -> None:
        """Delete the role. AWS refuses while a policy is in it."""
        client = place.clients.iam(place.region)
        found(lambda: client.delete_role(RoleName=id_), _MISSING)
