"""CloudWatch alarms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.cloud.resources.resource_type import (
    Created,
    Location,
    Properties,
    ResourceType,
    as_list,
    as_map,
    update_tags,
)

_NAMES = {
    "actionsEnabled": "ActionsEnabled",
    "alarmActions": "AlarmActions",
    "alarmDescription": "AlarmDescription",
    "comparisonOperator": "ComparisonOperator",
    "datapointsToAlarm": "DatapointsToAlarm",
    "evaluationPeriods": "EvaluationPeriods",
    "insufficientDataActions": "InsufficientDataActions",
    "metricName": "MetricName",
    "namespace": "Namespace",
    "okActions": "OKActions",
    "period": "Period",
    "statistic": "Statistic",
    "threshold": "Threshold",
    "treatMissingData": "TreatMissingData",
}


class MetricAlarm(ResourceType):
    """aws:cloudwatch/metricAlarm:MetricAlarm. Its id is its name.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/cloudwatch/metric_alarm.go
    """

    unordered = frozenset(
        {"alarmActions", "okActions", "insufficientDataActions", "metricQueries"},
    )

    def create(self, inputs: Properties, location: Location) -> Created:
        """Create the alarm. `local.cloudwatch.alarm_evaluation` evaluates it while a ring runs."""
        self._put(inputs["name"], inputs, location, Tags=location.tag_list(inputs))
        seen = self.read(inputs["name"], location)
        assert seen
        return Created(inputs["name"], {"arn": seen["arn"]})

    def _put(self, name: str, inputs: Properties, location: Location, **more: Any) -> None:
        request: Any = {theirs: inputs[ours] for ours, theirs in _NAMES.items() if ours in inputs}
        if "dimensions" in inputs:
            request["Dimensions"] = _named(inputs["dimensions"])
        if queries := inputs.get("metricQueries"):
            request["Metrics"] = [_query(query) for query in queries]
        location.clients.cloudwatch(location.region).put_metric_alarm(
            AlarmName=name, **request, **more
        )

    def read(self, id_: str, location: Location) -> Properties | None:
        """Describe the alarm."""
        client: Any = location.clients.cloudwatch(location.region)
        alarms = client.describe_alarms(AlarmNames=[id_])["MetricAlarms"]
        if not alarms:
            return None
        (alarm,) = alarms
        tags = client.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]
        return {
            **{ours: alarm[theirs] for ours, theirs in _NAMES.items() if theirs in alarm},
            "name": id_,
            "arn": alarm["AlarmArn"],
            "dimensions": _values(alarm.get("Dimensions", ())),
            "metricQueries": [_to_inputs(query) for query in alarm.get("Metrics", ())],
            "tagsAll": as_map(tags),
        }

    def update(self, id_: str, old: Properties, new: Properties, location: Location) -> None:
        """Put the alarm again and update its tags."""
        client = location.clients.cloudwatch(location.region)
        self._put(id_, new, location)
        arn = client.describe_alarms(AlarmNames=[id_])["MetricAlarms"][0]["AlarmArn"]
        update_tags(
            as_map(client.list_tags_for_resource(ResourceARN=arn)["Tags"]),
            location.tags(new),
            lambda keys: client.untag_resource(ResourceARN=arn, TagKeys=keys),
            lambda tags: client.tag_resource(ResourceARN=arn, Tags=as_list(tags)),
        )

    def delete(self, id_: str, location: Location) -> None:
        """Delete the alarm. DeleteAlarms ignores one that does not exist."""
        location.clients.cloudwatch(location.region).delete_alarms(AlarmNames=[id_])


def _query(query: Properties) -> dict[str, Any]:
    """Convert a metric or metric math expression to CloudWatch's request."""
    request = {"Id": query["id"], "ReturnData": query.get("returnData", False)}
    if "expression" in query:
        request["Expression"] = query["expression"]
    if "label" in query:
        request["Label"] = query["label"]
    if metric := query.get("metric"):
        request["MetricStat"] = {
            "Metric": {
                "Namespace": metric["namespace"],
                "MetricName": metric["metricName"],
                "Dimensions": _named(metric.get("dimensions", {})),
            },
            "Period": metric["period"],
            "Stat": metric["stat"],
        }
    return request


def _to_inputs(query: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a query as CloudWatch describes it to Pulumi's inputs."""
    inputs = {"id": query["Id"], "returnData": query["ReturnData"]}
    if "Expression" in query:
        inputs["expression"] = query["Expression"]
    if "Label" in query:
        inputs["label"] = query["Label"]
    if stat := query.get("MetricStat"):
        inputs["metric"] = {
            "namespace": stat["Metric"]["Namespace"],
            "metricName": stat["Metric"]["MetricName"],
            "dimensions": _values(stat["Metric"]["Dimensions"]),
            "period": stat["Period"],
            "stat": stat["Stat"],
        }
    return inputs


def _named(dimensions: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in dimensions.items()]


def _values(dimensions: Any) -> dict[str, str]:
    return {dimension["Name"]: dimension["Value"] for dimension in dimensions}
