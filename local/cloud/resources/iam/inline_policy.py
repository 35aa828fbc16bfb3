"""Inline policies of roles and users."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from local.cloud.resources.resource_type import (
    Created,
    Location,
    Properties,
    ResourceType,
    get_or_none,
)

_MISSING = "NoSuchEntity"


class _InlinePolicy(ResourceType):
    """Inline policy of a role or a user. Its id is `holder:name`.

    IAM's calls for the two differ only in the word `role` or `user`.
    """

    computed = frozenset()
    json_documents = frozenset({"policy"})
    tagged = False
    regional = False
    holder: ClassVar[str]
    """`role` or `user`: the input that names the holder, and the word in the calls."""

    def _call(self, verb: str, id_: str, location: Location, **more: str) -> Any:
        holder, _, name = id_.partition(":")
        call = getattr(location.clients.iam(location.region), f"{verb}_{self.holder}_policy")
        return call(**{f"{self.holder.title()}Name": holder, "PolicyName": name}, **more)

    def create(self, inputs: Properties, location: Location) -> Created:
        """Put the policy."""
        id_ = f"{inputs[self.holder]}:{inputs['name']}"
        self.update(id_, {}, inputs, location)
        return Created(id_, {})

    def read(self, id_: str, location: Location) -> Properties | None:
        """Get the policy."""
        response = get_or_none(lambda: self._call("get", id_, location), _MISSING)
        if response is None:
            return None
        holder, _, name = id_.partition(":")
        policy = json.dumps(response["PolicyDocument"])
        return {self.holder: holder, "name": name, "policy": policy}

    def update(self, id_: str, old: Properties, new: Properties, location: Location) -> None:
        """Put the policy again."""
        self._call("put", id_, location, PolicyDocument=new["policy"])

    def delete(self, id_: str, location: Location) -> None:
        """Delete the policy."""
        get_or_none(lambda: self._call("delete", id_, location), _MISSING)


class RolePolicy(_InlinePolicy):
    """aws:iam/rolePolicy:RolePolicy.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/iam/role_policy.go
    """

    holder = "role"
    force_new = frozenset({"name", "namePrefix", "role"})


class UserPolicy(_InlinePolicy):
    """aws:iam/userPolicy:UserPolicy.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/iam/user_policy.go
    """

    holder = "user"
    force_new = frozenset({"name", "namePrefix", "user"})
