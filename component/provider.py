"""Provider of the component: its schema, and a ring from the arguments of any program."""

# Without postponed annotations: Pulumi makes the schema of them.
import inspect
import json
import sys
from typing import Any

import pulumi
from pulumi.errors import InputPropertiesError
from pulumi.provider import main
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.experimental.util import camel_case

from component.arguments import models_in, settings_of, typed_dict
from ring.project import version
from ring.ring import Ring as _Ring
from ring.settings.errors import SettingProblem
from ring.settings.settings import NAMESPACE, Settings, SettingsError


class Ring(_Ring):
    """DynamoDB tables in several regions, kept in sync by Lambda functions over their streams.

    The arguments are the settings of docs/reference/settings.md, in camel case. The component makes
    an AWS provider for each member. Its name is the prefix of the names of functions and roles: up
    to 15 characters always fit.
    """

    members: list[dict[str, Any]]
    """In ring order: name, region, table, table_arn, stream_arn, tombstones (a table's name)."""
    hops: list[dict[str, Any]]
    """In ring order: source, target (members' names), function (ARN), mapping (UUID), quarantine
    (a bucket's name)."""
    topics: dict[str, pulumi.Output[str]]
    """By member, the ARN of the topic that its alarms notify, if it is one of the ring's own."""
    dashboards: list[pulumi.Output[str]]
    """The names of the dashboards, one for each account in which hops start."""
    distributed: dict[str, Any] | None
    """Distributed check and backfill, if enabled: member, machine, function, bucket, readers,
    writes."""

    def __init__(
        self, name: str, args: Settings, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, args, opts)


# The programs give a dictionary, which the provider parses.
Ring.__init__.__annotations__["args"] = typed_dict(Settings)


class RingProvider(ComponentProvider):
    """Provider of `Ring`. It reports all invalid arguments at once, under the schema's names."""

    def __init__(self) -> None:
        super().__init__([Ring], NAMESPACE, version=version())
        self.schema = json.dumps(_described(json.loads(self.schema or "")))

    def map_inputs(self, inputs: Any, component_def: Any) -> Any:
        """Parse the arguments. Raises `InputPropertiesError`, also for unknown ones."""
        try:
            return Settings.parse(settings_of(inputs))
        except SettingsError as error:
            details: Any = [_details(problem) for problem in error.problems]
            raise InputPropertiesError(
                "Invalid settings; nothing of this ring was deployed.", details
            ) from error


def _details(problem: SettingProblem) -> dict[str, str]:
    return {
        "property_path": camel_case(problem.key),
        "reason": f"{problem.reason}. {problem.remedy}",
    }


def _described(schema: dict[str, Any]) -> dict[str, Any]:
    """Add the descriptions of the settings: typed dictionaries made at run time have none."""
    resource = schema["resources"][f"{NAMESPACE}:index:Ring"]
    resource["description"] = inspect.cleandoc(resource["description"])
    for output in resource["properties"].values():
        output["description"] = inspect.cleandoc(output["description"])
    _describe(resource["inputProperties"], Settings)
    for model in models_in(Settings):
        found = schema["types"].get(f"{NAMESPACE}:index:{model.__name__}")
        if found:
            found["description"] = inspect.cleandoc(model.__doc__ or "")
            _describe(found["properties"], model)
    return schema


def _describe(properties: dict[str, Any], model: Any) -> None:
    for name, field in model.model_fields.items():
        if field.description:
            properties[camel_case(name)]["description"] = inspect.cleandoc(field.description)


def serve() -> None:
    """Serve the provider to the engine at the address in the program's arguments."""
    main(RingProvider(), sys.argv[1:])
