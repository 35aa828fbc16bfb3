"""Step Functions state machines."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError
from pulumi.runtime import rpc

from local.cloud.resources.resource_type import (
    Created,
    Location,
    Properties,
    ResourceType,
    get_or_none,
    poll_until,
    update_tags,
)

_MISSING = "StateMachineDoesNotExist"


class StateMachine(ResourceType):
    """aws:sfn/stateMachine:StateMachine. Its id is its ARN.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/sfn/state_machine.go
    """

    force_new = frozenset({"name", "namePrefix", "type"})
    json_documents = frozenset({"definition"})
    optional_computed = frozenset({"loggingConfiguration"})

    def validate_plan(self, old: Properties, new: Properties, location: Location) -> None:
        """Have Step Functions validate a changed definition, unless it is still unknown."""
        definition = new.get("definition")
        if definition in (None, rpc.UNKNOWN, old.get("definition")):
            return
        client = location.clients.client("stepfunctions", location.region)
        response = client.validate_state_machine_definition(definition=definition)
        if response["result"] != "OK":
            problems = "; ".join(problem["message"] for problem in response["diagnostics"])
            raise ClientError(
                {"Error": {"Code": "InvalidDefinition", "Message": problems}},
                "ValidateStateMachineDefinition",
            )

    def create(self, inputs: Properties, location: Location) -> Created:
        """Create the state machine."""
        client = location.clients.client("stepfunctions", location.region)
        created = client.create_state_machine(
            name=inputs["name"], tags=_listed(location.tags(inputs)), **_changeable(inputs)
        )
        return Created(created["stateMachineArn"], {"arn": created["stateMachineArn"]})

    def read(self, id_: str, location: Location) -> Properties | None:
        """Describe the state machine."""
        client = location.clients.client("stepfunctions", location.region)
        response = _describe(client, id_)
        if response is None:
            return None
        return {
            "name": response["name"],
            "arn": id_,
            "definition": response["definition"],
            "roleArn": response["roleArn"],
            "loggingConfiguration": _read_logging(response.get("loggingConfiguration") or {}),
            "tagsAll": _tags(client, id_),
        }

    def update(self, id_: str, old: Properties, new: Properties, location: Location) -> None:
        """Change what it does, who it is, what is logged, and its tags."""
        client = location.clients.client("stepfunctions", location.region)
        client.update_state_machine(stateMachineArn=id_, **_changeable(new))
        update_tags(
            _tags(client, id_),
            location.tags(new),
            lambda keys: client.untag_resource(resourceArn=id_, tagKeys=keys),
            lambda tags: client.tag_resource(resourceArn=id_, tags=_listed(tags)),
        )

    def delete(self, id_: str, location: Location) -> None:
        """Delete the state machine and wait for that: its executions end first."""
        client = location.clients.client("stepfunctions", location.region)
        get_or_none(lambda: client.delete_state_machine(stateMachineArn=id_), _MISSING)
        poll_until(lambda: _describe(client, id_), lambda response: response is None)


def _describe(client: Any, arn: str) -> Any:
    return get_or_none(lambda: client.describe_state_machine(stateMachineArn=arn), _MISSING)


def _changeable(inputs: Properties) -> dict[str, Any]:
    return {
        "definition": inputs["definition"],
        "roleArn": inputs["roleArn"],
        "loggingConfiguration": _logging(inputs.get("loggingConfiguration") or {}),
    }


def _logging(told: Properties) -> dict[str, Any]:
    group = told.get("logDestination")
    return {
        "level": told.get("level", "OFF"),
        "includeExecutionData": told.get("includeExecutionData", False),
        "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": group}}] if group else [],
    }


def _read_logging(told: Properties) -> dict[str, Any]:
    groups = [one["cloudWatchLogsLogGroup"] for one in told.get("destinations") or ()]
    return {
        "level": told.get("level", "OFF"),
        "includeExecutionData": told.get("includeExecutionData", False),
        **({"logDestination": groups[0]["logGroupArn"]} if groups else {}),
    }


def _tags(client: Any, arn: str) -> dict[str, str]:
    tags = client.list_tags_for_resource(resourceArn=arn)["tags"]
    return {tag["key"]: tag["value"] for tag in tags}


def _listed(tags: Properties) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]
