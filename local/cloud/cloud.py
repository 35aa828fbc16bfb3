"""The one place that turns what a Pulumi program declares into real resources.

Each type of resource has an entry in `local.cloud.resources.KINDS`, each function that a program
may call one in `FUNCTIONS`.
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
    KINDS,
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
"""The token of a provider: a place, not a resource of AWS."""
_NOTHING: Properties = {}
_THE_ENGINES = frozenset({"version", "pluginDownloadURL"})


class CloudError(Exception):
    """A declared resource or a called function cannot be had here. Says which, and why."""


class NameTooLongError(CloudError):
    """A name cannot be made up, as it would be too long. Says whose, and the limit."""


class PartError(CloudError):
    """A resource is there, but not all that was said of it could be done. Says which, and why."""

    def __init__(self, text: str, id_: str, outputs: Properties) -> None:
        super().__init__(text)
        self.id = id_
        self.outputs = outputs


@dataclass(frozen=True)
class Change:
    """The inputs of a resource, as they were and as they should be."""

    old: Properties
    new: Properties


class Cloud:
    """Makes resources in the accounts and regions of one endpoint."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def place(self, provider: Properties) -> Location:
        """Return the place where a provider with these inputs makes its resources.

        A role leads into its account, and a profile into the only account that it is allowed;
        neither needs to exist. Everything else is in moto's own account.
        """
        inputs = provider_inputs(provider)
        account = _account(inputs)
        tags = inputs.get("defaultTags", {}).get("tags", {})
        return Location(self._accounts.clients(account), inputs["region"], account, tags)

    def create(
        self, token: str, logical_name: str, inputs: Properties, place: Location
    ) -> tuple[str, dict[str, Any]]:
        """Make a resource; return its id, and its outputs as AWS would give them.

        One that has no name is named after `logical_name`, as Pulumi does. Raises `CloudError`,
        `PartError` where the resource is there but unfinished.
        """
        kind = kind_of(token, logical_name)
        named = named_inputs(kind, logical_name, _with_whole_numbers(inputs))
        with _told(logical_name, token):
            try:
                created = kind.create(named, place)
            except PartlyCreatedError as error:
                seen = kind.read(error.created.id, place) or {}
                done = {name: seen[name] for name in named if name in seen}
                outputs = {**_outputs(named, error.created), **done}
                text = f"{logical_name} ({token}): {error} {error.__cause__}"
                raise PartError(text, error.created.id, outputs) from error
        return created.id, _outputs(named, created)

    def read(self, token: str, logical_name: str, id_: str, place: Location) -> Properties | None:
        """Return a resource's properties as AWS has them now, None if it is not there.

        Raises `CloudError`.
        """
        kind = kind_of(token, logical_name)
        with _told(logical_name, token):
            return kind.read(id_, place)

    def update(
        self, token: str, logical_name: str, id_: str, change: Change, place: Location
    ) -> dict[str, Any]:
        """Change a resource, in nothing that is fixed; return its outputs. Raises `CloudError`."""
        kind = kind_of(token, logical_name)
        new = _with_whole_numbers(change.new)
        with _told(logical_name, token):
            kind.update(id_, _with_whole_numbers(change.old), new, place)
            seen = kind.read(id_, place) or {}
        computed = {name: seen[name] for name in kind.computed if name in seen}
        return {**new, "id": id_, **computed}

    def refuse_plan(
        self, token: str, logical_name: str, old: Properties, new: Properties, place: Location
    ) -> None:
        """Ask AWS about a plan, where the provider does so. Raises `CloudError`."""
        with _told(logical_name, token):
            kind_of(token, logical_name).refuse_plan(old, new, place)

    def delete(
        self,
        token: str,
        logical_name: str,
        id_: str,
        place: Location,
        outputs: Properties = _NOTHING,
    ) -> None:
        """Delete a resource that had these outputs. Raises `CloudError`."""
        kind = kind_of(token, logical_name)
        with _told(logical_name, token):
            kind.delete_as(outputs, id_, place)

    def call(self, token: str, place: Location) -> dict[str, Any]:
        """Return what a function of the AWS provider answers in a place. Raises `CloudError`."""
        function = FUNCTIONS.get(token)
        if function is None:
            raise CloudError(
                f"The function {token} cannot be called on this machine. "
                f"Known are {', '.join(FUNCTIONS)}; add an entry to FUNCTIONS "
                "in local/cloud/cloud.py."
            )
        return function(place)


def provider_inputs(provider: Properties) -> dict[str, Any]:
    """Return a provider's own inputs: Pulumi hands all but plain text over as JSON.

    What the engine goes by to find the provider is left out.
    """
    return {
        name: json.loads(value) if isinstance(value, str) and value[:1] in ("[", "{") else value
        for name, value in provider.items()
        if name not in _THE_ENGINES
    }


def _account(provider: Properties) -> str:
    if roles := provider.get("assumeRoles"):
        return Arn.parse(roles[0]["roleArn"]).account
    allowed = provider.get("allowedAccountIds")
    return str(allowed[0]) if allowed and provider.get("profile") else HOME_ACCOUNT


def kind_of(token: str, logical_name: str) -> ResourceType:
    """Return what a type of resource can do here. Raises `CloudError`."""
    kind = KINDS.get(token)
    if kind is None:
        raise CloudError(
            f"{logical_name}: resources of type {token} cannot be made on this machine. "
            f"Known are {', '.join(KINDS)}; add an entry to KINDS in local/cloud/resources."
        )
    return kind


@contextmanager
def _told(logical_name: str, token: str) -> Iterator[None]:
    """Tell what goes wrong with the name of the resource."""
    try:
        yield
    except (ClientError, BotoCoreError, ArchiveError, TimeoutError) as error:
        raise CloudError(f"{logical_name} ({token}): {error}") from error


def _outputs(inputs: Properties, created: Created) -> dict[str, Any]:
    return {**inputs, "id": created.id, **created.outputs}


def named_inputs(kind: ResourceType, logical_name: str, inputs: Properties) -> Properties:
    """Give a resource that says no name the one that Pulumi's AWS provider would make up.

    https://www.pulumi.com/docs/iac/concepts/resources/names/#autonaming
    Raises `NameTooLongError`.
    """
    if kind.name is None or kind.name in inputs:
        return inputs
    prefix = inputs.get(f"{kind.name}Prefix")
    made_up = f"{logical_name}-{secrets.token_hex(4)[:7]}"
    name = prefix + secrets.token_hex(13) if prefix else made_up
    if len(name) > kind.longest:
        raise NameTooLongError(
            f"{logical_name}: the name {name} has {len(name)} characters, and the AWS provider "
            f"takes {kind.longest} for {type(kind).__name__}. Shorten the resource's name."
        )
    return {**inputs, kind.name: name}


def _with_whole_numbers(value: Any) -> Any:
    """Return a value whose whole numbers are ints: on Pulumi's wire, all numbers are floats."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {name: _with_whole_numbers(part) for name, part in value.items()}
        case list():
            return [_with_whole_numbers(part) for part in value]
    return value


def _get_partition(place: Location) -> dict[str, Any]:
    partition = partition_of(place.region)
    suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
    reverse = ".".join(reversed(suffix.split(".")))
    return {
        "id": partition,
        "partition": partition,
        "dnsSuffix": suffix,
        "reverseDnsPrefix": reverse,
    }


def _get_caller_identity(place: Location) -> dict[str, Any]:
    caller = place.clients.sts(place.region).get_caller_identity()
    account = caller["Account"]
    return {"id": account, "accountId": account, "arn": caller["Arn"], "userId": caller["UserId"]}


def _get_region(place: Location) -> dict[str, Any]:
    return {"id": place.region, "region": place.region, "name": place.region}


FUNCTIONS: Mapping[str, Callable[[Location], dict[str, Any]]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": _get_caller_identity,
    "aws:index/getPartition:getPartition": _get_partition,
    "aws:index/getRegion:getRegion": _get_region,
}
"""Every function of the AWS provider that can be called."""
