"""Lambda functions and event source mappings."""

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
    get_or_none,
    has_changed,
    poll_until,
    retry_while,
    update_tags,
)

_MISSING = "ResourceNotFoundException"
_IN_USE = "ResourceInUseException"
_INVALID = "InvalidParameterValueException"
_ROLE_NOT_READY = (
    "cannot be assumed by Lambda",
    "execution role does not have permissions",
    "ensure the role can perform",
)
"""What Lambda says of a new role; the provider retries it for functions (the first two, in
`retryFunctionOp`) and mappings (`retryEventSourceMapping`), for minutes."""
_CONFIGURATION = (
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

    force_new = frozenset({"name", "packageType"})
    computed = frozenset({"arn", "version"})
    write_only = frozenset({"code"})
    optional_computed = frozenset({"loggingConfig"})
    max_name_length = 64

    def create(self, inputs: Properties, location: Location) -> Created:
        """Create the function from its archive."""
        client = location.clients.functions(location.region)
        request: Any = {
            "FunctionName": inputs["name"],
            "Code": {"ZipFile": zip_archive(inputs["code"])},
            "Architectures": inputs.get("architectures", ["x86_64"]),
            "Tags": location.tags(inputs),
            **_configuration(inputs),
        }
        texts = _ROLE_NOT_READY[:2]
        created = retry_while(_INVALID, client.create_function, texts=texts, **request)
        return Created(inputs["name"], {"arn": created["FunctionArn"], "version": "$LATEST"})

    def read(self, id_: str, location: Location) -> Properties | None:
        """Get the function."""
        client = location.clients.functions(location.region)
        response: Any = get_or_none(lambda: client.get_function(FunctionName=id_), _MISSING)
        if response is None:
            return None
        configuration = response["Configuration"]
        variables = configuration.get("Environment", {}).get("Variables", {})
        return {
            "name": id_,
            "arn": configuration["FunctionArn"],
            "version": "$LATEST",
            "role": configuration["Role"],
            "runtime": configuration["Runtime"],
            "handler": configuration["Handler"],
            "description": configuration["Description"],
            "timeout": configuration["Timeout"],
            "memorySize": configuration["MemorySize"],
            "architectures": configuration["Architectures"],
            "environment": {"variables": variables},
            "loggingConfig": _logging_inputs(configuration.get("LoggingConfig", {})),
            "tagsAll": response.get("Tags", {}),
        }

    def update(self, id_: str, old: Properties, new: Properties, location: Location) -> None:
        """Update its configuration, then its code if that has changed, then its tags.

        In between, the old code runs with the new configuration; if the second call fails, this
        remains so.
        """
        client: Any = location.clients.functions(location.region)
        if has_changed(old, new, *_CONFIGURATION):
            client.update_function_configuration(FunctionName=id_, **_configuration(new))
            self._wait(client, id_)
        code = zip_archive(new["code"])
        if has_changed(old, new, "architectures") or self._digest(client, id_) != _digest_of(code):
            client.update_function_code(
                FunctionName=id_,
                ZipFile=code,
                Architectures=new.get("architectures", ["x86_64"]),
            )
            self._wait(client, id_)
        arn = client.get_function(FunctionName=id_)["Configuration"]["FunctionArn"]
        update_tags(
            client.list_tags(Resource=arn)["Tags"],
            location.tags(new),
            lambda keys: client.untag_resource(Resource=arn, TagKeys=keys),
            lambda tags: client.tag_resource(Resource=arn, Tags=tags),
        )

    def _wait(self, client: Any, id_: str) -> None:
        poll_until(
            lambda: client.get_function(FunctionName=id_)["Configuration"],
            lambda configuration: configuration.get("LastUpdateStatus") != "InProgress",
        )

    def _digest(self, client: Any, id_: str) -> str:
        # Compared by digest: the archive of the last update may no longer exist.
        digest: str = client.get_function(FunctionName=id_)["Configuration"]["CodeSha256"]
        return digest

    def delete(self, id_: str, location: Location) -> None:
        """Delete the function."""
        client = location.clients.functions(location.region)
        get_or_none(lambda: client.delete_function(FunctionName=id_), _MISSING)


def _digest_of(code: bytes) -> str:
    return base64.b64encode(hashlib.sha256(code).digest()).decode()


def _logging_inputs(config: Mapping[str, str]) -> dict[str, str]:
    names = {"logFormat": "LogFormat", "logGroup": "LogGroup"}
    return {ours: config[theirs] for ours, theirs in names.items() if theirs in config}


def _configuration(inputs: Properties) -> Any:
    logging = inputs.get("loggingConfig", {})
    config = {"LogFormat": logging.get("logFormat"), "LogGroup": logging.get("logGroup")}
    return {
        **({"LoggingConfig": {key: value for key, value in config.items() if value}}),
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
    force_new = frozenset({"eventSourceArn", "startingPosition", "startingPositionTimestamp"})
    computed = frozenset({"arn", "uuid", "functionArn"})
    unordered = frozenset({"functionResponseTypes"})
    # moto does not return it.
    write_only = frozenset({"startingPosition"})
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

    def create(self, inputs: Properties, location: Location) -> Created:
        """Create the mapping in moto; the records are moved by `event_source_mapping`."""
        client: Any = location.clients.functions(location.region)
        _ensure_no_duplicate(client, inputs)
        request = self._request(inputs, {**self.FIXED, **self.CHANGEABLE})
        request["Tags"] = location.tags(inputs)
        create = client.create_event_source_mapping
        created = retry_while(_INVALID, create, texts=_ROLE_NOT_READY, **request)
        _wait_for_mapping(client, created["UUID"])
        return Created(created["UUID"], _identity(created))

    def _request(self, inputs: Properties, names: Mapping[str, str]) -> dict[str, Any]:
        request = {theirs: inputs[ours] for ours, theirs in names.items() if ours in inputs}
        if on_failure := inputs.get("destinationConfig", {}).get("onFailure"):
            request["DestinationConfig"] = {
                "OnFailure": {"Destination": on_failure["destinationArn"]}
            }
        request["MetricsConfig"] = {"Metrics": inputs.get("metricsConfig", {}).get("metrics", [])}
        return request

    def read(self, id_: str, location: Location) -> Properties | None:
        """Get the mapping."""
        client: Any = location.clients.functions(location.region)
        mapping = get_or_none(lambda: client.get_event_source_mapping(UUID=id_), _MISSING)
        if mapping is None:
            return None
        names = {**self.CHANGEABLE, **self.FIXED}
        inputs = {ours: mapping[theirs] for ours, theirs in names.items() if theirs in mapping}
        destination = mapping.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        if destination:
            inputs["destinationConfig"] = {"onFailure": {"destinationArn": destination}}
        if metrics := mapping.get("MetricsConfig", {}).get("Metrics"):
            inputs["metricsConfig"] = {"metrics": metrics}
        inputs["enabled"] = mapping["State"] in ("Enabled", "Enabling")
        tags = client.list_tags(Resource=mapping["EventSourceMappingArn"])["Tags"]
        identity = _identity(mapping)
        return {**inputs, "functionName": mapping["FunctionArn"], "tagsAll": tags, **identity}

    def update(self, id_: str, old: Properties, new: Properties, location: Location) -> None:
        """Update the mapping's settings and function. The stream cannot be changed."""
        client: Any = location.clients.functions(location.region)
        request = self._request(new, self.CHANGEABLE)
        if request != self._request(old, self.CHANGEABLE):
            retry_while(_IN_USE, client.update_event_source_mapping, UUID=id_, **request)
            _wait_for_mapping(client, id_)
        arn = client.get_event_source_mapping(UUID=id_)["EventSourceMappingArn"]
        update_tags(
            client.list_tags(Resource=arn)["Tags"],
            location.tags(new),
            lambda keys: client.untag_resource(Resource=arn, TagKeys=keys),
            lambda tags: client.tag_resource(Resource=arn, Tags=tags),
        )

    def delete(self, id_: str, location: Location) -> None:
        """Delete the mapping and wait until it no longer exists."""
        client: Any = location.clients.functions(location.region)
        delete = client.delete_event_source_mapping
        get_or_none(lambda: retry_while(_IN_USE, delete, UUID=id_), _MISSING)
        poll_until(
            lambda: get_or_none(lambda: client.get_event_source_mapping(UUID=id_), _MISSING),
            lambda mapping: mapping is None,
        )


def _wait_for_mapping(client: Any, id_: str) -> None:
    """Wait until a mapping is in no transitional state."""
    poll_until(
        lambda: client.get_event_source_mapping(UUID=id_)["State"],
        lambda state: state not in ("Creating", "Updating", "Enabling", "Disabling"),
    )


def _identity(mapping: Mapping[str, Any]) -> dict[str, str]:
    arn = mapping.get("EventSourceMappingArn", "")
    return {"uuid": mapping["UUID"], "functionArn": mapping["FunctionArn"], "arn": arn}


def _ensure_no_duplicate(client: Any, inputs: Properties) -> None:
    """Reject a second mapping of one stream to one function, as Lambda does and moto does not.

    https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
    """
    existing = client.list_event_source_mappings(
        EventSourceArn=inputs["eventSourceArn"], FunctionName=inputs["functionName"]
    )["EventSourceMappings"]
    if existing:
        text = (
            "The event source arn and function provided mapping already exists. Please update or "
            f"delete the existing mapping with UUID {existing[0]['UUID']}"
        )
        raise ClientError(
            {"Error": {"Code": "ResourceConflictException", "Message": text}},
            "CreateEventSourceMapping",
        )
