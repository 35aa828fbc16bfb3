"""State machines."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError
from pulumi.runtime import rpc

from local.cloud.resources.resource_type import (
    Created,
    Location,
    Properties,
    ResourceType,
    awaited,
    found,
    retag,
)

_MISSING = "StateMachineDoesNotExist"


class StateMachine(ResourceType):
    """aws:sfn/stateMachine:StateMachine. Its id is its ARN.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/sfn/state_machine.go
    """

    fixed = frozenset({"name", "namePrefix", "type"})
    documents = frozenset({"definition"})
    kept = frozenset({"loggingConfiguration"})

    def refuse_plan(self, old: Properties, new: Properties, place: Location) -> None:
        """Have Step Functions validate another definition, once all of it is known."""
        definition = new.get("definition")
        if definition in (None, rpc.UNKNOWN, old.get("definition")):
            return
        client = place.clients.client("stepfunctions", place.region)
        told = client.validate_state_machine_definition(definition=definition)
        if told["result"] != "OK":
            problems = "; ".join(one["message"] for one in told["diagnostics"])
            raise ClientError(
                {"Error": {"Code": "InvalidDefinition", "Message": problems}},
                "ValidateStateMachineDefinition",
            )

    def create(self, inputs: Properties, place: Location) -> Created:
        """Make the state machine."""
        client = place.clients.client("stepfunctions", place.region)
        made = client.create_state_machine(
            name=inputs["name"], tags=_listed(place.tags(inputs)), **_changeable(inputs)
        )
        return Created(made["stateMachineArn"], {"arn": made["stateMachineArn"]})

    def read(self, id_: str, place: Location) -> Properties | None:
        """Look the state machine up."""
        client = place.clients.client("stepfunctions", place.region)
        told: Any = found(lambda: client.describe_state_machine(stateMachineArn=id_), _MISSING)
        if told is None:
            return None
        return {
            "name": told["name"],
            "arn": id_,
            "definition": told["definition"],
            "roleArn": told["roleArn"],
            "loggingConfiguration": _read_logging(told.get("loggingConfiguration") or {}),
            "tagsAll": _tags(client, id_),
        }

    def update(self, id_: str, old: Properties, new: Properties, place: Location) -> None:
        """Change what it does, who it is, what is logged, and its tags."""
        client = place.clients.client("stepfunctions", place.region)
        client.update_state_machine(stateMachineArn=id_, **_changeable(new))
        retag(
            _tags(client, id_),
            place.tags(new),
            lambda gone: client.untag_resource(resourceArn=id_, tagKeys=gone),
            lambda put: client.tag_resource(resourceArn=id_, tags=_listed(put)),
        )

    def delete(self, id_: str, place: Location) -> None:
        """Delete the state machine, and wait until it is gone: its executions end first."""
        client = place.clients.client("stepfunctions", place.region)
        found(lambda: client.delete_state_machine(stateMachineArn=id_), _MISSING)
        awaited(
            lambda: found(lambda: client.describe_state_machine(stateMachineArn=id_), _MISSING),
            lambda told: told is None,
        )


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
