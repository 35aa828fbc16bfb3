"""Create the resources that a Pulumi program declares, with boto3 calls at one endpoint.

Each supported type of resource has an entry in `local.cloud.resources.RESOURCE_TYPES`, each
supported function of the AWS provider one in `FUNCTIONS`.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from local.clients import HOME_ACCOUNT
from local.cloud.resources import (
    RESOURCE_TYPES,
    Created,
    Location,
    PartlyCreatedError,
    Properties,
    ResourceType,
)
from local.cloud.resources.archive import ArchiveError
from ring.arn import Arn, partition_of

if TYPE_CHECKING:
    from local.clients import Accounts

PROVIDER = "pulumi:providers:aws"
"""The type token of an AWS provider, which stands for an account and a region."""
_NO_PROPERTIES: Properties = {}
_ENGINE_INPUTS = frozenset({"version", "pluginDownloadURL"})


class CloudError(Exception):
    """A resource or provider function failed or is not supported. Says which, and why."""


class NameTooLongError(CloudError):
    """A generated name would be too long. Says whose, and the limit."""


class PartialCreateError(CloudError):
    """A resource was created, but a later step of its creation failed. Says which, and why."""

    def __init__(self, text: str, id_: str, outputs: Properties) -> None:
        super().__init__(text)
        self.id = id_
        self.outputs = outputs


@dataclass(frozen=True)
class Change:
    """The inputs of a resource before and after an update."""

    old: Properties
    new: Properties


class Cloud:
    """Create, read, update and delete resources in the accounts and regions of one endpoint."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def location(self, provider: Properties) -> Location:
        """Return the account and region of a provider with these inputs.

        The account is that of its role, or for a profile its only allowed account; neither needs
        to exist. Otherwise it is moto's default account.
        """
        inputs = provider_inputs(provider)
        account = _account(inputs)
        tags = inputs.get("defaultTags", {}).get("tags", {})
        return Location(self._accounts.clients(account), inputs["region"], account, tags)

    def create(
        self, token: str, logical_name: str, inputs: Properties, location: Location
    ) -> tuple[str, dict[str, Any]]:
        """Create a resource; return its id and its outputs.

        A resource without a name gets one made from `logical_name`, as in Pulumi. Raises
        `CloudError`; `PartialCreateError` if the resource exists but is incomplete.
        """
        resource_type = resource_type_of(token, logical_name)
        named = named_inputs(resource_type, logical_name, _with_whole_numbers(inputs))
        with _translate_errors(logical_name, token):
            try:
                created = resource_type.create(named, location)
            except PartlyCreatedError as error:
                seen = resource_type.read(error.created.id, location) or {}
                done = {name: seen[name] for name in named if name in seen}
                outputs = {**_outputs(named, error.created), **done}
                text = f"{logical_name} ({token}): {error} {error.__cause__}"
                raise PartialCreateError(text, error.created.id, outputs) from error
        return created.id, _outputs(named, created)

    def read(
        self, token: str, logical_name: str, id_: str, location: Location
    ) -> Properties | None:
        """Return a resource's current properties, None if it does not exist.

        Raises `CloudError`.
        """
        resource_type = resource_type_of(token, logical_name)
        with _translate_errors(logical_name, token):
            return resource_type.read(id_, location)

    def update(
        self, token: str, logical_name: str, id_: str, change: Change, location: Location
    ) -> dict[str, Any]:
        """Update a resource in place; return its outputs. Raises `CloudError`."""
        resource_type = resource_type_of(token, logical_name)
        new = _with_whole_numbers(change.new)
        with _translate_errors(logical_name, token):
            resource_type.update(id_, _with_whole_numbers(change.old), new, location)
            seen = resource_type.read(id_, location) or {}
        computed = {name: seen[name] for name in resource_type.computed if name in seen}
        return {**new, "id": id_, **computed}

    def validate_plan(
        self, token: str, logical_name: str, old: Properties, new: Properties, location: Location
    ) -> None:
        """Validate a plan with AWS, for resource types that do. Raises `CloudError`."""
        with _translate_errors(logical_name, token):
            resource_type_of(token, logical_name).validate_plan(old, new, location)

    def delete(
        self,
        token: str,
        logical_name: str,
        id_: str,
        location: Location,
        outputs: Properties = _NO_PROPERTIES,
    ) -> None:
        """Delete a resource that had these outputs. Raises `CloudError`."""
        resource_type = resource_type_of(token, logical_name)
        with _translate_errors(logical_name, token):
            resource_type.delete_with_outputs(outputs, id_, location)

    def call(self, token: str, inputs: Properties, location: Location) -> dict[str, Any]:
        """Call a function of the AWS provider in a location. Raises `CloudError`."""
        function = FUNCTIONS.get(token)
        if function is None:
            raise CloudError(
                f"The local ring does not support the function {token}, only "
                f"{', '.join(FUNCTIONS)}. Add it to FUNCTIONS in local/cloud/cloud.py."
            )
        with _translate_errors(str(inputs.get("name", "the account")), token):
            return function(inputs, location)


def provider_inputs(provider: Properties) -> dict[str, Any]:
    """Return a provider's inputs, decoded: Pulumi passes all but plain text as JSON.

    Without those by which the engine selects the plugin.
    """
    return {
        name: json.loads(value) if isinstance(value, str) and value[:1] in ("[", "{") else value
        for name, value in provider.items()
        if name not in _ENGINE_INPUTS
    }


def _account(provider: Properties) -> str:
    if roles := provider.get("assumeRoles"):
        return Arn.parse(roles[0]["roleArn"]).account
    allowed = provider.get("allowedAccountIds")
    return str(allowed[0]) if allowed and provider.get("profile") else HOME_ACCOUNT


def resource_type_of(token: str, logical_name: str) -> ResourceType:
    """Return the implementation of a type token. Raises `CloudError`."""
    resource_type = RESOURCE_TYPES.get(token)
    if resource_type is None:
        raise CloudError(
            f"{logical_name}: the local ring does not support resources of type {token}, only "
            f"{', '.join(RESOURCE_TYPES)}. Add it to RESOURCE_TYPES in local/cloud/resources."
        )
    return resource_type


@contextmanager
def _translate_errors(logical_name: str, token: str) -> Iterator[None]:
    """Turn errors into `CloudError`s that name the resource."""
    try:
        yield
    except (ClientError, BotoCoreError, ArchiveError, TimeoutError) as error:
        raise CloudError(f"{logical_name} ({token}): {error}") from error


def _outputs(inputs: Properties, created: Created) -> dict[str, Any]:
    return {**inputs, "id": created.id, **created.outputs}


def named_inputs(resource_type: ResourceType, logical_name: str, inputs: Properties) -> Properties:
    """Give a resource without a name the one that Pulumi's AWS provider would generate.

    https://www.pulumi.com/docs/iac/concepts/resources/names/#autonaming
    Raises `NameTooLongError`.
    """
    if resource_type.name is None or resource_type.name in inputs:
        return inputs
    prefix = inputs.get(f"{resource_type.name}Prefix")
    generated = f"{logical_name}-{secrets.token_hex(4)[:7]}"
    name = prefix + secrets.token_hex(13) if prefix else generated
    if len(name) > resource_type.max_name_length:
        raise NameTooLongError(
            f"{logical_name}: the name {name} has {len(name)} characters, and the AWS provider "
            f"takes {resource_type.max_name_length} for {type(resource_type).__name__}. "
            "Shorten the resource's name."
        )
    return {**inputs, resource_type.name: name}


def _with_whole_numbers(value: Any) -> Any:
    """Turn whole numbers into ints: Pulumi's protocol sends all numbers as floats."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {name: _with_whole_numbers(part) for name, part in value.items()}
        case list():
            return [_with_whole_numbers(part) for part in value]
    return value


def _get_partition(_inputs: Properties, location: Location) -> dict[str, Any]:
    partition = partition_of(location.region)
    suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
    reverse = ".".join(reversed(suffix.split(".")))
    return {
        "id": partition,
        "partition": partition,
        "dnsSuffix": suffix,
        "reverseDnsPrefix": reverse,
    }


def _get_caller_identity(_inputs: Properties, location: Location) -> dict[str, Any]:
    caller = location.clients.sts(location.region).get_caller_identity()
    account = caller["Account"]
    return {"id": account, "accountId": account, "arn": caller["Arn"], "userId": caller["UserId"]}


def _get_region(_inputs: Properties, location: Location) -> dict[str, Any]:
    return {"id": location.region, "region": location.region, "name": location.region}


def _get_table(inputs: Properties, location: Location) -> dict[str, Any]:
    token = "aws:dynamodb/table:Table"
    found = resource_type_of(token, inputs["name"]).read(inputs["name"], location)
    if found is None:
        raise CloudError(f"{inputs['name']} ({token}): there is no such table")
    return {"id": inputs["name"], **found}


FUNCTIONS: Mapping[str, Callable[[Properties, Location], dict[str, Any]]] = {
    "aws:dynamodb/getTable:getTable": _get_table,
    "aws:index/getCallerIdentity:getCallerIdentity": _get_caller_identity,
    "aws:index/getPartition:getPartition": _get_partition,
    "aws:index/getRegion:getRegion": _get_region,
}
"""The supported functions of the AWS provider, by type token."""
