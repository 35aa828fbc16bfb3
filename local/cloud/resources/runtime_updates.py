"""Lambda's runtime management, which moto does not implement."""

from __future__ import annotations

from local.cloud.resources.resource_type import (
    Created,
    Location,
    Properties,
    ResourceType,
    get_or_none,
)

_MISSING = "ResourceNotFoundException"


class RuntimeManagementConfig(ResourceType):
    """aws:lambda/runtimeManagementConfig:RuntimeManagementConfig. Its id is the function's name.

    The configuration is kept here, in memory, because moto does not store it.
    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/lambda/runtime_management_config.go
    """

    name = None
    force_new = frozenset({"functionName", "qualifier"})
    computed = frozenset({"functionArn"})
    tagged = False

    def __init__(self) -> None:
        self._update_on: dict[str, str] = {}
        """`updateRuntimeOn`, by the function's ARN."""

    def create(self, inputs: Properties, location: Location) -> Created:
        """Store the configuration. A missing function is Lambda's error."""
        name = inputs["functionName"]
        response = location.clients.functions(location.region).get_function(FunctionName=name)
        arn = response["Configuration"]["FunctionArn"]
        self._update_on[arn] = inputs.get("updateRuntimeOn", "Auto")
        return Created(name, {"functionArn": arn})

    def read(self, id_: str, location: Location) -> Properties | None:
        """Read the configuration; Lambda's default is Auto."""
        client = location.clients.functions(location.region)
        response = get_or_none(lambda: client.get_function(FunctionName=id_), _MISSING)
        if response is None:
            return None
        arn = response["Configuration"]["FunctionArn"]
        return {
            "functionName": id_,
            "functionArn": arn,
            "updateRuntimeOn": self._update_on.get(arn, "Auto"),
        }

    def update(self, id_: str, old: Properties, new: Properties, location: Location) -> None:
        """Store the new configuration."""
        self.create(new, location)

    def delete(self, id_: str, location: Location) -> None:
        """Restore Lambda's default."""
        properties = self.read(id_, location)
        if properties is not None:
            self._update_on.pop(properties["functionArn"], None)
