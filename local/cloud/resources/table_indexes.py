"""Convert a table's indexes to DynamoDB requests, and compare them for updates. Pure."""

from __future__ import annotations

from typing import Any

from local.cloud.resources.resource_type import Properties


def deleted_indexes(old: Properties, new: Properties) -> list[Any]:
    """Return the index deletions. DynamoDB takes one per UpdateTable."""
    before, after = _by_name(old), _by_name(new)
    return [
        {"Delete": {"IndexName": name}}
        for name, index in before.items()
        if name not in after or _definition(index) != _definition(after[name])
    ]


def created_indexes(old: Properties, new: Properties) -> list[Any]:
    """Return the index creations. DynamoDB takes one per UpdateTable."""
    before = _by_name(old)
    return [
        {"Create": global_index(index, is_provisioned(new))}
        for name, index in _by_name(new).items()
        if name not in before or _definition(index) != _definition(before[name])
    ]


def resized_indexes(old: Properties, new: Properties) -> list[Any]:
    """Return the capacity changes of indexes, for the call that changes the table's capacity.

    If the table becomes PROVISIONED, DynamoDB requires the capacity of every index in that call.
    """
    if not is_provisioned(new):
        return []
    before = _by_name(old)
    return [
        {"Update": {"IndexName": name, "ProvisionedThroughput": capacity(index)}}
        for name, index in _by_name(new).items()
        if name in before and _definition(index) == _definition(before[name])
        if not is_provisioned(old) or capacity(index) != capacity(before[name])
    ]


def _by_name(inputs: Properties) -> dict[str, Any]:
    return {index["name"]: index for index in inputs.get("globalSecondaryIndexes", [])}


def _definition(index: Properties) -> tuple[Any, ...]:
    """Return the properties of a global index that cannot be changed."""
    names = ("keySchemas", "hashKey", "rangeKey", "projectionType", "nonKeyAttributes")
    return tuple(index.get(name) for name in names)


def is_provisioned(inputs: Properties) -> bool:
    """Return whether a table has provisioned capacity, which is Terraform's default."""
    mode: str = inputs.get("billingMode", "PROVISIONED")
    return mode == "PROVISIONED"


def key_schema(hash_key: str, range_key: str | None) -> list[dict[str, str]]:
    """Return the key schema of a table or an index."""
    schema = [{"AttributeName": hash_key, "KeyType": "HASH"}]
    return [*schema, {"AttributeName": range_key, "KeyType": "RANGE"}] if range_key else schema


def capacity(inputs: Properties) -> dict[str, int]:
    """Return the capacity of a table or an index."""
    return {
        "ReadCapacityUnits": inputs["readCapacity"],
        "WriteCapacityUnits": inputs["writeCapacity"],
    }


def global_index(inputs: Properties, provisioned: bool) -> dict[str, Any]:
    """Return a global index as CreateTable takes it."""
    # Older declarations have `hashKey` and `rangeKey` instead of `keySchemas`.
    schema = [
        {"AttributeName": key["attributeName"], "KeyType": key["keyType"]}
        for key in inputs.get("keySchemas", [])
    ] or key_schema(inputs["hashKey"], inputs.get("rangeKey"))
    units = {"ProvisionedThroughput": capacity(inputs)} if provisioned else {}
    return {**index_of(inputs, schema), **units}


def index_of(inputs: Properties, schema: list[dict[str, str]]) -> dict[str, Any]:
    """Return a local index, or a global one without its capacity."""
    projection: dict[str, Any] = {"ProjectionType": inputs["projectionType"]}
    if inputs.get("nonKeyAttributes"):
        projection["NonKeyAttributes"] = list(inputs["nonKeyAttributes"])
    return {"IndexName": inputs["name"], "KeySchema": schema, "Projection": projection}
