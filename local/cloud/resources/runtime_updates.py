"""When a function's runtime is updated. moto knows nothing of it, and updates none."""

from __future__ import annotations

from local.cloud.resources.resource_type import Created, Location, Properties, ResourceType, found

_MISSING = "ResourceNotFoundException"


class RuntimeManagementConfig(ResourceType):
    """aws:lambda/runtimeManagementConfig:RuntimeManagementConfig. Its id is the function's name.

    What is wanted is kept here, for as long as the function is there: moto has no place for it.
    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/lambda/runtime_management_config.go
    """

    name = None
    fixed = frozenset({"functionName", "qualifier"})
    computed = frozenset({"functionArn"})
    tagged = False

    def __init__(self) -> None:
        self._wanted: dict[str, str] = {}
        """When a function's runtime is updated, by its ARN."""

    def create(self, inputs: Properties, place: Location) -> Created:
        """Say when the runtime is updated; a function that is not there is Lambda's error."""
        name = inputs["functionName"]
        arn = place.clients.functions(place.region).get_function(FunctionName=name)
        return Created(
            name, {"functionArn": self._keep(arn["Configuration"]["FunctionArn"], inputs)}
        )

    def read(self, id_: str, place: Location) -> Properties | None:
        """Look up what was said; Lambda's own default is Auto."""
        client = place.clients.functions(place.region)
        told = found(lambda: client.get_function(FunctionName=id_), _MISSING)
        if told is None:
            return None
        arn = told["Configuration"]["FunctionArn"]
        return {
            "functionName": id_,
            "functionArn": arn,
            "updateRuntimeOn": self._wanted.get(arn, "Auto"),
        }

    def update(self, id_: str, old: Properties, new: Properties, place: Location) -> None:
        """Say it anew."""
        self.create(new, place)

    def delete(self, id_: str, place: Location) -> None:
        """Leave the function with Lambda's default."""
        told = self.read(id_, place)
        if told is not None:
            self._wanted.pop(told["functionArn"], None)

    def _keep(self, arn: str, inputs: Properties) -> str:
        self._wanted[arn] = inputs.get("updateRuntimeOn", "Auto")
        return arn
