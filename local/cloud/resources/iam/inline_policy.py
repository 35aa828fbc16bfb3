"""Policies that are a part of a role or a user."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from local.cloud.resources.resource_type import Created, Location, Properties, ResourceType, found

_MISSING = "NoSuchEntity"


class _InlinePolicy(ResourceType):
    """A policy in its holder. Its id is `holder:name`.

    IAM's calls for the two holders differ in nothing but the holder's word.
    """

    computed = frozenset()
    documents = frozenset({"policy"})
    tagged = False
    regional = False
    holder: ClassVar[str]
    """`role` or `user`: the input that names the holder, and the word in the calls."""

    def _call(self, verb: str, id_: str, place: Location, **more: str) -> Any:
        holder, _, name = id_.partition(":")
        call = getattr(place.clients.iam(place.region), f"{verb}_{self.holder}_policy")
        return call(**{f"{self.holder.title()}Name": holder, "PolicyName": name}, **more)

    def create(self, inputs: Properties, place: Location) -> Created:
        """Write the policy into its holder."""
        id_ = f"{inputs[self.holder]}:{inputs['name']}"
        self.update(id_, {}, inputs, place)
        return Created(id_, {})

    def read(self, id_: str, place: Location) -> Properties | None:
        """Look the policy up in its holder."""
        answer = found(lambda: self._call("get", id_, place), _MISSING)
        if answer is None:
            return None
        holder, _, name = id_.partition(":")
        return {self.holder: holder, "name": name, "policy": json.dumps(answer["PolicyDocument"])}

    def update(self, id_: str, old: Properties, new: Properties, place: Location) -> None:
        """Write the policy again."""
        self._call("put", id_, place, PolicyDocument=new["policy"])

    def delete(self, id_: str, place: Location) -> None:
        """Take the policy out of its holder."""
        found(lambda: self._call("delete", id_, place), _MISSING)


class RolePolicy(_InlinePolicy):
    """aws:iam/rolePolicy:RolePolicy.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/iam/role_policy.go
    """

    holder = "role"
    fixed = frozenset({"name", "namePrefix", "role"})


class UserPolicy(_InlinePolicy):
    """aws:iam/userPolicy:UserPolicy.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/iam/user_policy.go
    """

    holder = "user"
    fixed = frozenset({"name", "namePrefix", "user"})
