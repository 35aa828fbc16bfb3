"""The indexes of a table as DynamoDB takes them, and what changes of them. Pure."""

from __future__ import annotations

from typing import Any

from local.cloud.resources.resource_type import Properties


def deleted_indexes(old: Properties, new: Properties) -> list[Any]:
    """Return the deletes, each for a call of its own: one index is changed at a time."""
    before, after = _by_name(old), _by_name(new)
    return [
        {"Delete": {"IndexName": name}}
        for name, index in before.items()
        if name not in after or _made_of(index) != _made_of(after[name])
    ]


def created_indexes(old: Properties, new: Properties) -> list[Any]:
    """Return the creates, each for a call of its own."""
    before = _by_name(old)
    return [
        {"Create": global_index(index, is_provisioned(new))}
        for name, index in _by_name(new).items()
        if name not in before or _made_of(index) != _made_of(before[name])
    ]


def resized_indexes(old: Properties, new: Properties) -> list[Any]:
    """Return the indexes with another capacity, for the call that changes that of the table.

    Where the table becomes PROVISIONED, DynamoDB asks for each index's in that call.
    """
    if not is_provisioned(new):
        return []
    before = _by_name(old)
    return [
        {"Update": {"IndexName": name, "ProvisionedThroughput": capacity(index)}}
        for name, index in _by_name(new).items()
        if name in before and _made_of(index) == _made_of(before[name])
        if not is_provisioned(old) or capacity(index) != capacity(before[name])
    ]


def _by_name(inputs: Properties) -> dict[str, Any]:
    return {one["name"]: one for one in inputs.get("globalSecondaryIndexes", [])}


def _made_of(index: Properties) -> tuple[Any, ...]:
    """Return what cannot be changed of a global index."""
    names = ("keySchemas", "hashKey", "rangeKey", "projectionType", "nonKeyAttributes")
    return tuple(index.get(name) for name in names)


def is_provisioned(inputs: Properties) -> bool:
    """Tell whether a table is billed by its capacity, which is Terraform's default."""
    mode: str = inputs.get("billingMode", "PROVISIONED")
    return mode == "PROVISIONED"


def key_schema(hash_key: str, range_key: str | None) -> list[dict[str, str]]:
    """Return the keys of a table or an index."""
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
    # An index names its keys in a list, or, in the older way, one by one.
    schema = [
        {"AttributeName": one["attributeName"], "KeyType": one["keyType"]}
        for one in inputs.get("keySchemas", [])
    ] or key_schema(inputs["hashKey"], inputs.get("rangeKey"))
    units = {"ProvisionedThroughput": capacity(inputs)} if provisioned else {}
    return {**index_of(inputs, schema), **units}


def index_of(inputs: Properties, schema: list[dict[str, str]]) -> dict[str, Any]:
    """Return a local index, or a global one without its capacity."""
    projection: dict[str, Any] = {"ProjectionType": inputs["projectionType"]}
    if inputs.get("nonKeyAttributes"):
        projection["NonKeyAttributes"] = list(inputs["nonKeyAttributes"])
    return {"IndexName": inputs["name"], "KeySchema": schema, "Projection": projection}
