"""Functions and the mappings that feed them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from local.cloud.resources.archive import zip_archive
from local.cloud.resources.resource_type import (
    Created,
    Location,
    Properties,
    ResourceType,
    awaited,
    changed,
    found,
    persistently,
    retag,
)

_MISSING = "ResourceNotFoundException"
_IN_USE = "ResourceInUseException"
_TOGETHER = (
    "role",
    "runtime",
    "handler",
    "description",
    "timeout",
    "memorySize",
    "environment",
    "loggingConfig",
)


class Function(ResourceType):
    """aws:lambda/function:Function.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/lambda/function.go
    """

    fixed = frozenset({"name", "packageType"})
    computed = frozenset({"arn", "version"})
    unread = frozenset({"code"})
    kept = frozenset({"loggingConfig"})
    longest = 64

    def create(self, inputs: Properties, place: Location) -> Created:
        """Make the function from its archive."""
        made = place.clients.functions(place.region).create_function(
            FunctionName=inputs["name"],
            Code={"ZipFile": zip_archive(inputs["code"])},
            Architectures=inputs.get("architectures", ["x86_64"]),
            Tags=place.tags(inputs),
            **_configuration(inputs),
        )
        return Created(inputs["name"], {"arn": made["FunctionArn"], "version": "$LATEST"})

    def read(self, id_: str, place: Location) -> Properties | None:
        """Look the function up."""
        client = place.clients.functions(place.region)
        answer: Any = found(lambda: client.get_function(FunctionName=id_), _MISSING)
        if answer is None:
            return None
        told = answer["Configuration"]
        return {
            "name": id_,
            "arn": told["FunctionArn"],
            "version": "$LATEST",
            "role": told["Role"],
            "runtime": told["Runtime"],
            "handler": told["Handler"],
            "description": told["Description"],
            "timeout": told["Timeout"],
            "memorySize": told["MemorySize"],
            "architectures": told["Architectures"],
            "environment": {"variables": told.get("Environment", {}).get("Variables", {})},
            "loggingConfig": _shape_of_logging(told.get("LoggingConfig", {})),
            "tagsAll": answer.get("Tags", {}),
        }

    def update(self, id_: str, old: Properties, new: Properties, place: Location) -> None:
        """Change its configuration first, then its code if it is another, and its tags.

        In between the old code runs with the new configuration, and it stays so if the code fails.
        """
        client: Any = place.clients.functions(place.region)
        if changed(old, new, *_TOGETHER):
            client.update_function_configuration(FunctionName=id_, **_configuration(new))
            self._wait(client, id_)
        code = zip_archive(new["code"])
        if changed(old, new, "architectures") or self._digest(client, id_) != _digest_of(code):
            client.update_function_code(
                FunctionName=id_,
                ZipFile=code,
                Architectures=new.get("architectures", ["x86_64"]),
            )
            self._wait(client, id_)
        arn = client.get_function(FunctionName=id_)["Configuration"]["FunctionArn"]
        retag(
            client.list_tags(Resource=arn)["Tags"],
            place.tags(new),
            lambda gone: client.untag_resource(Resource=arn, TagKeys=gone),
            lambda put: client.tag_resource(Resource=arn, Tags=put),
        )

    def _wait(self, client: Any, id_: str) -> None:
        awaited(
            lambda: client.get_function(FunctionName=id_)["Configuration"],
            lambda told: told.get("LastUpdateStatus") != "InProgress",
        )

    def _digest(self, client: Any, id_: str) -> str:
        # The archive of the last update may not be there any more to compare.
        told: str = client.get_function(FunctionName=id_)["Configuration"]["CodeSha256"]
        return told

    def delete(self, id_: str, place: Location) -> None:
        """Delete the function."""
        client = place.clients.functions(place.region)
        found(lambda: client.delete_function(FunctionName=id_), _MISSING)


def _digest_of(code: bytes) -> str:
    return base64.b64encode(hashlib.sha256(code).digest()).decode()


def _shape_of_logging(told: Mapping[str, str]) -> dict[str, str]:
    names = {"logFormat": "LogFormat", "logGroup": "LogGroup"}
    return {ours: told[theirs] for ours, theirs in names.items() if theirs in told}


def _configuration(inputs: Properties) -> Any:
    logging = inputs.get("loggingConfig", {})
    told = {"LogFormat": logging.get("logFormat"), "LogGroup": logging.get("logGroup")}
    return {
        **({"LoggingConfig": {key: value for key, value in told.items() if value}}),
        "Role": inputs["role"],
        "Runtime": inputs["runtime"],
        "Handler": inputs["handler"],
        "Description": inputs.get("description", ""),
        "Timeout": inputs.get("timeout", 3),
        "MemorySize": inputs.get("memorySize", 128),
        "Environment": {"Variables": inputs.get("environment", {}).get("variables", {})},
    }


class EventSourceMapping(ResourceType):
    """aws:lambda/eventSourceMapping:EventSourceMapping. Its id is its UUID.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/lambda/event_source_mapping.go
    """

    name = None
    fixed = frozenset({"eventSourceArn", "startingPosition", "startingPositionTimestamp"})
    computed = frozenset({"arn", "uuid", "functionArn"})
    unordered = frozenset({"functionResponseTypes"})
    # moto keeps neither.
    unread = frozenset({"startingPosition"})
    CHANGEABLE: ClassVar[Mapping[str, str]] = {
        "functionName": "FunctionName",
        "batchSize": "BatchSize",
        "maximumBatchingWindowInSeconds": "MaximumBatchingWindowInSeconds",
        "parallelizationFactor": "ParallelizationFactor",
        "maximumRetryAttempts": "MaximumRetryAttempts",
        "maximumRecordAgeInSeconds": "MaximumRecordAgeInSeconds",
        "bisectBatchOnFunctionError": "BisectBatchOnFunctionError",
        "functionResponseTypes": "FunctionResponseTypes",
        "enabled": "Enabled",
    }
    FIXED: ClassVar[Mapping[str, str]] = {
        "eventSourceArn": "EventSourceArn",
        "startingPosition": "StartingPosition",
    }

    def create(self, inputs: Properties, place: Location) -> Created:
        """Make the mapping, for AWS's API to show: `event_source_mapping` moves the records."""
        client: Any = place.clients.functions(place.region)
        _refuse_second(client, inputs)
        made = client.create_event_source_mapping(
            **self._request(inputs, {**self.FIXED, **self.CHANGEABLE}), Tags=place.tags(inputs)
        )
        _settled(client, made["UUID"])
        return Created(made["UUID"], _identity(made))

    def _request(self, inputs: Properties, names: Mapping[str, str]) -> dict[str, Any]:
        request = {theirs: inputs[ours] for ours, theirs in names.items() if ours in inputs}
        if on_failure := inputs.get("destinationConfig", {}).get("onFailure"):
            request["DestinationConfig"] = {
                "OnFailure": {"Destination": on_failure["destinationArn"]}
            }
        request["MetricsConfig"] = {"Metrics": inputs.get("metricsConfig", {}).get("metrics", [])}
        return request

    def read(self, id_: str, place: Location) -> Properties | None:
        """Look the mapping up."""
        client: Any = place.clients.functions(place.region)
        told = found(lambda: client.get_event_source_mapping(UUID=id_), _MISSING)
        if told is None:
            return None
        seen = {ours: told[theirs] for ours, theirs in self.CHANGEABLE.items() if theirs in told}
        seen |= {ours: told[theirs] for ours, theirs in self.FIXED.items() if theirs in told}
        destination = told.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        if destination:
            seen["destinationConfig"] = {"onFailure": {"destinationArn": destination}}
        if metrics := told.get("MetricsConfig", {}).get("Metrics"):
            seen["metricsConfig"] = {"metrics": metrics}
        seen["enabled"] = told["State"] in ("Enabled", "Enabling")
        tags = client.list_tags(Resource=told["EventSourceMappingArn"])["Tags"]
        return {**seen, "functionName": told["FunctionArn"], "tagsAll": tags, **_identity(told)}

    def update(self, id_: str, old: Properties, new: Properties, place: Location) -> None:
        """Change how the stream is read, and by which function; where from stays as it is."""
        client: Any = place.clients.functions(place.region)
        request = self._request(new, self.CHANGEABLE)
        if request != self._request(old, self.CHANGEABLE):
            persistently(lambda: client.update_event_source_mapping(UUID=id_, **request), _IN_USE)
            _settled(client, id_)
        arn = client.get_event_source_mapping(UUID=id_)["EventSourceMappingArn"]
        retag(
            client.list_tags(Resource=arn)["Tags"],
            place.tags(new),
            lambda gone: client.untag_resource(Resource=arn, TagKeys=gone),
            lambda put: client.tag_resource(Resource=arn, Tags=put),
        )

    def delete(self, id_: str, place: Location) -> None:
        """Delete the mapping, and wait until it is gone."""
        client: Any = place.clients.functions(place.region)
        delete = lambda: client.delete_event_source_mapping(UUID=id_)  # noqa: E731
        found(lambda: persistently(delete, _IN_USE), _MISSING)
        awaited(
            lambda: found(lambda: client.get_event_source_mapping(UUID=id_), _MISSING),
            lambda told: told is None,
        )


def _settled(client: Any, id_: str) -> None:
    """Wait until a mapping is what was asked for."""
    awaited(
        lambda: client.get_event_source_mapping(UUID=id_)["State"],
        lambda state: state not in ("Creating", "Updating", "Enabling", "Disabling"),
    )


def _identity(told: Mapping[str, Any]) -> dict[str, str]:
    arn = told.get("EventSourceMappingArn", "")
    return {"uuid": told["UUID"], "functionArn": told["FunctionArn"], "arn": arn}


def _refuse_second(client: Any, inputs: Properties) -> None:
    """Refuse a second mapping of one stream to one function, as Lambda does and moto does not.

    https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
    """
    there = client.list_event_source_mappings(
        EventSourceArn=inputs["eventSourceArn"], FunctionName=inputs["functionName"]
    )["EventSourceMappings"]
    if there:
        text = (
            "The event source arn and function provided mapping already exists. Please update or "
            f"delete the existing mapping with UUID {there[0]['UUID']}"
        )
        raise ClientError(
            {"Error": {"Code": "ResourceConflictException", "Message": text}},
            "CreateEventSourceMapping",
        )
