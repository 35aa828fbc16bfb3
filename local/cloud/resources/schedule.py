"""Rules that call a function at a rate, and what lets them."""

from __future__ import annotations

import json
from typing import Any

from local.cloud.resources.resource_type import (
    Created,
    Location,
    Properties,
    ResourceType,
    found,
    retag,
)

_MISSING = "ResourceNotFoundException"


class EventRule(ResourceType):
    """aws:cloudwatch/eventRule:EventRule. `local.lambda_emulator.schedule` is what fires it.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/events/rule.go
    """

    fixed = frozenset({"name", "namePrefix", "eventBusName"})
    longest = 64

    def create(self, inputs: Properties, place: Location) -> Created:
        """Make the rule."""
        client = place.clients.client("events", place.region)
        made = client.put_rule(**_rule(inputs), Tags=place.tag_list(inputs))
        return Created(inputs["name"], {"arn": made["RuleArn"]})

    def read(self, id_: str, place: Location) -> Properties | None:
        """Look the rule up."""
        client = place.clients.client("events", place.region)
        told: Any = found(lambda: client.describe_rule(Name=id_), _MISSING)
        if told is None:
            return None
        tags = client.list_tags_for_resource(ResourceARN=told["Arn"])["Tags"]
        return {
            "name": id_,
            "arn": told["Arn"],
            "description": told.get("Description", ""),
            "scheduleExpression": told["ScheduleExpression"],
            "tagsAll": {tag["Key"]: tag["Value"] for tag in tags},
        }

    def update(self, id_: str, old: Properties, new: Properties, place: Location) -> None:
        """Change its schedule, its description and its tags."""
        client = place.clients.client("events", place.region)
        arn = client.put_rule(**_rule(new))["RuleArn"]
        tags = client.list_tags_for_resource(ResourceARN=arn)["Tags"]
        retag(
            {tag["Key"]: tag["Value"] for tag in tags},
            place.tags(new),
            lambda gone: client.untag_resource(ResourceARN=arn, TagKeys=gone),
            lambda put: client.tag_resource(
                ResourceARN=arn, Tags=[{"Key": key, "Value": value} for key, value in put.items()]
            ),
        )

    def delete(self, id_: str, place: Location) -> None:
        """Delete the rule, whose targets are gone by then."""
        client = place.clients.client("events", place.region)
        found(lambda: client.delete_rule(Name=id_), _MISSING)


def _rule(inputs: Properties) -> dict[str, Any]:
    return {
        "Name": inputs["name"],
        "ScheduleExpression": inputs["scheduleExpression"],
        "Description": inputs.get("description", ""),
    }


class EventTarget(ResourceType):
    """aws:cloudwatch/eventTarget:EventTarget. Its id is `rule/target`.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/events/target.go
    """

    name = "targetId"
    fixed = frozenset({"rule", "targetId", "eventBusName"})
    computed = frozenset()
    documents = frozenset({"input"})
    tagged = False

    def create(self, inputs: Properties, place: Location) -> Created:
        """Give the rule its target."""
        id_ = f"{inputs['rule']}/{inputs['targetId']}"
        self.update(id_, {}, inputs, place)
        return Created(id_, {})

    def read(self, id_: str, place: Location) -> Properties | None:
        """Find the target among the rule's."""
        rule, _, target = id_.partition("/")
        client = place.clients.client("events", place.region)
        answer: Any = found(lambda: client.list_targets_by_rule(Rule=rule), _MISSING)
        for one in answer["Targets"] if answer else ():
            if one["Id"] == target:
                return {"rule": rule, "targetId": target, "arn": one["Arn"], "input": one["Input"]}
        return None

    def update(self, id_: str, old: Properties, new: Properties, place: Location) -> None:
        """Write the target again."""
        rule, _, target = id_.partition("/")
        place.clients.client("events", place.region).put_targets(
            Rule=rule, Targets=[{"Id": target, "Arn": new["arn"], "Input": new["input"]}]
        )

    def delete(self, id_: str, place: Location) -> None:
        """Take the target from the rule."""
        rule, _, target = id_.partition("/")
        client = place.clients.client("events", place.region)
        found(lambda: client.remove_targets(Rule=rule, Ids=[target]), _MISSING)


class Permission(ResourceType):
    """aws:lambda/permission:Permission. Its id is `function/statement`.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/lambda/permission.go
    """

    name = "statementId"
    longest = 100
    fixed = frozenset({"statementId", "action", "function", "principal", "sourceArn"})
    computed = frozenset()
    tagged = False

    def create(self, inputs: Properties, place: Location) -> Created:
        """Write the statement into the function's policy."""
        place.clients.functions(place.region).add_permission(
            FunctionName=inputs["function"],
            StatementId=inputs["statementId"],
            Action=inputs["action"],
            Principal=inputs["principal"],
            SourceArn=inputs["sourceArn"],
        )
        return Created(f"{inputs['function']}/{inputs['statementId']}", {})

    def read(self, id_: str, place: Location) -> Properties | None:
        """Find the statement in the function's policy."""
        function, _, statement = id_.partition("/")
        client = place.clients.functions(place.region)
        answer: Any = found(lambda: client.get_policy(FunctionName=function), _MISSING)
        for one in json.loads(answer["Policy"])["Statement"] if answer else ():
            if one["Sid"] == statement:
                return {
                    "function": function,
                    "statementId": statement,
                    "action": one["Action"],
                    "principal": one["Principal"]["Service"],
                    "sourceArn": one["Condition"]["ArnLike"]["AWS:SourceArn"],
                }
        return None

    def update(self, id_: str, old: Properties, new: Properties, place: Location) -> None:
        """Nothing of it can be changed."""

    def delete(self, id_: str, place: Location) -> None:
        """Take the statement out of the function's policy."""
        function, _, statement = id_.partition("/")
        client = place.clients.functions(place.region)
        found(
            lambda: client.remove_permission(FunctionName=function, StatementId=statement),
            _MISSING,
        )
