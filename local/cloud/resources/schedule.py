"""EventBridge rules and targets, and the permission to invoke a function."""

from __future__ import annotations

import json
from typing import Any

from local.cloud.resources.resource_type import (
    Created,
    Location,
    Properties,
    ResourceType,
    as_map,
    get_or_none,
    update_tags,
)

_MISSING = "ResourceNotFoundException"


class EventRule(ResourceType):
    """aws:cloudwatch/eventRule:EventRule. `local.lambda_emulator.schedule` fires it.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/events/rule.go
    """

    force_new = frozenset({"name", "namePrefix", "eventBusName"})
    max_name_length = 64

    def create(self, inputs: Properties, location: Location) -> Created:
        """Create the rule."""
        client = location.clients.client("events", location.region)
        created = client.put_rule(**_rule(inputs), Tags=location.tag_list(inputs))
        return Created(inputs["name"], {"arn": created["RuleArn"]})

    def read(self, id_: str, location: Location) -> Properties | None:
        """Describe the rule."""
        client = location.clients.client("events", location.region)
        rule: Any = get_or_none(lambda: client.describe_rule(Name=id_), _MISSING)
        if rule is None:
            return None
        return {
            "name": id_,
            "arn": rule["Arn"],
            "description": rule.get("Description", ""),
            "scheduleExpression": rule["ScheduleExpression"],
            "tagsAll": as_map(client.list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"]),
        }

    def update(self, id_: str, old: Properties, new: Properties, location: Location) -> None:
        """Update its schedule, description and tags."""
        client = location.clients.client("events", location.region)
        arn = client.put_rule(**_rule(new))["RuleArn"]
        update_tags(
            as_map(client.list_tags_for_resource(ResourceARN=arn)["Tags"]),
            location.tags(new),
            lambda keys: client.untag_resource(ResourceARN=arn, TagKeys=keys),
            lambda tags: client.tag_resource(
                ResourceARN=arn, Tags=[{"Key": key, "Value": value} for key, value in tags.items()]
            ),
        )

    def delete(self, id_: str, location: Location) -> None:
        """Delete the rule, after its targets."""
        client = location.clients.client("events", location.region)
        get_or_none(lambda: client.delete_rule(Name=id_), _MISSING)


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
    force_new = frozenset({"rule", "targetId", "eventBusName"})
    computed = frozenset()
    json_documents = frozenset({"input"})
    tagged = False

    def create(self, inputs: Properties, location: Location) -> Created:
        """Put the target."""
        id_ = f"{inputs['rule']}/{inputs['targetId']}"
        self.update(id_, {}, inputs, location)
        return Created(id_, {})

    def read(self, id_: str, location: Location) -> Properties | None:
        """Find the target among the rule's."""
        rule, _, target = id_.partition("/")
        client = location.clients.client("events", location.region)
        response: Any = get_or_none(lambda: client.list_targets_by_rule(Rule=rule), _MISSING)
        for listed in response["Targets"] if response else ():
            if listed["Id"] == target:
                inputs = {"arn": listed["Arn"], "input": listed["Input"]}
                return {"rule": rule, "targetId": target, **inputs}
        return None

    def update(self, id_: str, old: Properties, new: Properties, location: Location) -> None:
        """Put the target again."""
        rule, _, target = id_.partition("/")
        location.clients.client("events", location.region).put_targets(
            Rule=rule, Targets=[{"Id": target, "Arn": new["arn"], "Input": new["input"]}]
        )

    def delete(self, id_: str, location: Location) -> None:
        """Remove the target from the rule."""
        rule, _, target = id_.partition("/")
        client = location.clients.client("events", location.region)
        get_or_none(lambda: client.remove_targets(Rule=rule, Ids=[target]), _MISSING)


class Permission(ResourceType):
    """aws:lambda/permission:Permission. Its id is `function/statement`.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/lambda/permission.go
    """

    name = "statementId"
    max_name_length = 100
    force_new = frozenset({"statementId", "action", "function", "principal", "sourceArn"})
    computed = frozenset()
    tagged = False

    def create(self, inputs: Properties, location: Location) -> Created:
        """Add the statement to the function's policy."""
        location.clients.functions(location.region).add_permission(
            FunctionName=inputs["function"],
            StatementId=inputs["statementId"],
            Action=inputs["action"],
            Principal=inputs["principal"],
            SourceArn=inputs["sourceArn"],
        )
        return Created(f"{inputs['function']}/{inputs['statementId']}", {})

    def read(self, id_: str, location: Location) -> Properties | None:
        """Find the statement in the function's policy."""
        function, _, statement = id_.partition("/")
        client = location.clients.functions(location.region)
        response: Any = get_or_none(lambda: client.get_policy(FunctionName=function), _MISSING)
        for listed in json.loads(response["Policy"])["Statement"] if response else ():
            if listed["Sid"] == statement:
                return {
                    "function": function,
                    "statementId": statement,
                    "action": listed["Action"],
                    "principal": listed["Principal"]["Service"],
                    "sourceArn": listed["Condition"]["ArnLike"]["AWS:SourceArn"],
                }
        return None

    def update(self, id_: str, old: Properties, new: Properties, location: Location) -> None:
        """Do nothing: every property is `force_new`."""

    def delete(self, id_: str, location: Location) -> None:
        """Remove the statement from the function's policy."""
        function, _, statement = id_.partition("/")
        client = location.clients.functions(location.region)
        get_or_none(
            lambda: client.remove_permission(FunctionName=function, StatementId=statement),
            _MISSING,
        )
