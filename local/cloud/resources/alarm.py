"""CloudWatch's alarms."""

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
    retag,
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

    def create(self, inputs: Properties, place: Location) -> Created:
        """Make the alarm; `local.cloudwatch.alarms` judges it where a ring runs."""
        self._put(inputs["name"], inputs, place, Tags=place.tag_list(inputs))
        seen = self.read(inputs["name"], place)
        assert seen
        return Created(inputs["name"], {"arn": seen["arn"]})

    def _put(self, name: str, inputs: Properties, place: Location, **more: Any) -> None:
        request: Any = {theirs: inputs[ours] for ours, theirs in _NAMES.items() if ours in inputs}
        if "dimensions" in inputs:
            request["Dimensions"] = _named(inputs["dimensions"])
        if queries := inputs.get("metricQueries"):
            request["Metrics"] = [_query(query) for query in queries]
        place.clients.cloudwatch(place.region).put_metric_alarm(AlarmName=name, **request, **more)

    def read(self, id_: str, place: Location) -> Properties | None:
        """Look the alarm up."""
        client: Any = place.clients.cloudwatch(place.region)
        alarms = client.describe_alarms(AlarmNames=[id_])["MetricAlarms"]
        if not alarms:
            return None
        (told,) = alarms
        tags = client.list_tags_for_resource(ResourceARN=told["AlarmArn"])["Tags"]
        return {
            **{ours: told[theirs] for ours, theirs in _NAMES.items() if theirs in told},
            "name": id_,
            "arn": told["AlarmArn"],
            "dimensions": _values(told.get("Dimensions", ())),
            "metricQueries": [_told(query) for query in told.get("Metrics", ())],
            "tagsAll": as_map(tags),
        }

    def update(self, id_: str, old: Properties, new: Properties, place: Location) -> None:
        """Write the alarm again, and change its tags."""
        client = place.clients.cloudwatch(place.region)
        self._put(id_, new, place)
        arn = client.describe_alarms(AlarmNames=[id_])["MetricAlarms"][0]["AlarmArn"]
        retag(
            as_map(client.list_tags_for_resource(ResourceARN=arn)["Tags"]),
            place.tags(new),
            lambda gone: client.untag_resource(ResourceARN=arn, TagKeys=gone),
            lambda put: client.tag_resource(ResourceARN=arn, Tags=as_list(put)),
        )

    def delete(self, id_: str, place: Location) -> None:
        """Delete the alarm. AWS has nothing to say about one that is not there."""
        place.clients.cloudwatch(place.region).delete_alarms(AlarmNames=[id_])


def _query(query: Properties) -> dict[str, Any]:
    """A metric, or an expression over metrics, as CloudWatch takes it."""
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


def _told(query: Mapping[str, Any]) -> dict[str, Any]:
    """The same as Pulumi has it."""
    told = {"id": query["Id"], "returnData": query["ReturnData"]}
    if "Expression" in query:
        told["expression"] = query["Expression"]
    if "Label" in query:
        told["label"] = query["Label"]
    if stat := query.get("MetricStat"):
        told["metric"] = {
            "namespace": stat["Metric"]["Namespace"],
            "metricName": stat["Metric"]["MetricName"],
            "dimensions": _values(stat["Metric"]["Dimensions"]),
            "period": stat["Period"],
            "stat": stat["Stat"],
        }
    return told


def _named(dimensions: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in dimensions.items()]


def _values(dimensions: Any) -> dict[str, str]:
    return {one["Name"]: one["Value"] for one in dimensions}
