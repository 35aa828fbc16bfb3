"""IAM users."""

from __future__ import annotations

from local.cloud.resources.resource_type import (
    Created,
    Location,
    Properties,
    ResourceType,
    as_list,
    as_map,
    get_or_none,
    update_tags,
)

_MISSING = "NoSuchEntity"


class User(ResourceType):
    """aws:iam/user:User.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/iam/user.go
    """

    computed = frozenset({"arn", "uniqueId"})
    regional = False

    def create(self, inputs: Properties, location: Location) -> Created:
        """Create the user."""
        user = location.clients.iam(location.region).create_user(
            UserName=inputs["name"], Tags=location.tag_list(inputs)
        )["User"]
        return Created(user["UserName"], {"arn": user["Arn"], "uniqueId": user["UserId"]})

    def read(self, id_: str, location: Location) -> Properties | None:
        """Get the user."""
        client = location.clients.iam(location.region)
        response = get_or_none(lambda: client.get_user(UserName=id_), _MISSING)
        if response is None:
            return None
        user = response["User"]
        tags = as_map(client.list_user_tags(UserName=id_)["Tags"])
        return {"name": id_, "arn": user["Arn"], "uniqueId": user["UserId"], "tagsAll": tags}

    def update(self, id_: str, old: Properties, new: Properties, location: Location) -> None:
        """Update its tags."""
        client = location.clients.iam(location.region)
        update_tags(
            as_map(client.list_user_tags(UserName=id_)["Tags"]),
            location.tags(new),
            lambda keys: client.untag_user(UserName=id_, TagKeys=keys),
            lambda tags: client.tag_user(UserName=id_, Tags=as_list(tags)),
        )

    def delete(self, id_: str, location: Location) -> None:
        """Delete the user. AWS refuses this while it has access keys."""
        client = location.clients.iam(location.region)
        get_or_none(lambda: client.delete_user(UserName=id_), _MISSING)
