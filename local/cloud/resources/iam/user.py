"""Users."""

from __future__ import annotations

from local.cloud.resources.resource_type import (
    Created,
    Location,
    Properties,
    ResourceType,
    as_list,
    as_map,
    found,
    retag,
)

_MISSING = "NoSuchEntity"


class User(ResourceType):
    """aws:iam/user:User.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/iam/user.go
    """

    computed = frozenset({"arn", "uniqueId"})
    regional = False

    def create(self, inputs: Properties, place: Location) -> Created:
        """Make the user."""
        user = place.clients.iam(place.region).create_user(
            UserName=inputs["name"], Tags=place.tag_list(inputs)
        )["User"]
        return Created(user["UserName"], {"arn": user["Arn"], "uniqueId": user["UserId"]})

    def read(self, id_: str, place: Location) -> Properties | None:
        """Look the user up."""
        client = place.clients.iam(place.region)
        answer = found(lambda: client.get_user(UserName=id_), _MISSING)
        if answer is None:
            return None
        user = answer["User"]
        tags = as_map(client.list_user_tags(UserName=id_)["Tags"])
        return {"name": id_, "arn": user["Arn"], "uniqueId": user["UserId"], "tagsAll": tags}

    def update(self, id_: str, old: Properties, new: Properties, place: Location) -> None:
        """Change its tags."""
        client = place.clients.iam(place.region)
        retag(
            as_map(client.list_user_tags(UserName=id_)["Tags"]),
            place.tags(new),
            lambda gone: client.untag_user(UserName=id_, TagKeys=gone),
            lambda put: client.tag_user(UserName=id_, Tags=as_list(put)),
        )

    def delete(self, id_: str, place: Location) -> None:
        """Delete the user. AWS refuses while it has keys."""
        client = place.clients.iam(place.region)
        found(lambda: client.delete_user(UserName=id_), _MISSING)
