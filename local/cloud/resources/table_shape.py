"""A table as DynamoDB describes it, turned into the inputs that would make it. Pure."""

from __future__ import annotations

from typing import Any


def shape_of(table: Any) -> dict[str, Any]:
    """Return a described table as its inputs."""
    keys = {key["KeyType"]: key["AttributeName"] for key in table["KeySchema"]}
    mode = table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
    stream = table.get("StreamSpecification", {})
    shape: dict[str, Any] = {
        "hashKey": keys["HASH"],
        "rangeKey": keys.get("RANGE"),
        "attributes": [
            {"name": one["AttributeName"], "type": one["AttributeType"]}
            for one in table["AttributeDefinitions"]
        ],
        "billingMode": mode,
        "deletionProtectionEnabled": table.get("DeletionProtectionEnabled", False),
        "streamEnabled": stream.get("StreamEnabled", False),
        "streamViewType": stream.get("StreamViewType"),
        "globalSecondaryIndexes": [
            _shape_of_wide(one, mode) for one in table.get("GlobalSecondaryIndexes", [])
        ],
        "localSecondaryIndexes": [
            {**_shape_of_index(one), "rangeKey": one["KeySchema"][1]["AttributeName"]}
            for one in table.get("LocalSecondaryIndexes", [])
        ],
        "serverSideEncryption": _shape_of_encryption(table.get("SSEDescription")),
        **(_shape_of_capacity(table["ProvisionedThroughput"]) if mode == "PROVISIONED" else {}),
    }
    return {name: value for name, value in shape.items() if value not in (None, [], {})}


def _shape_of_capacity(throughput: Any) -> dict[str, int]:
    return {
        "readCapacity": throughput["ReadCapacityUnits"],
        "writeCapacity": throughput["WriteCapacityUnits"],
    }


def _shape_of_index(index: Any) -> dict[str, Any]:
    projection = index["Projection"]
    shape = {"name": index["IndexName"], "projectionType": projection["ProjectionType"]}
    more = projection.get("NonKeyAttributes")
    return {**shape, "nonKeyAttributes": more} if more else shape


def _shape_of_wide(index: Any, mode: str) -> dict[str, Any]:
    schema = [
        {"attributeName": key["AttributeName"], "keyType": key["KeyType"]}
        for key in index["KeySchema"]
    ]
    provisioned = mode == "PROVISIONED"
    capacity = _shape_of_capacity(index["ProvisionedThroughput"]) if provisioned else {}
    return {**_shape_of_index(index), "keySchemas": schema, **capacity}


def _shape_of_encryption(told: Any) -> dict[str, Any]:
    if not told or told.get("Status") != "ENABLED":
        return {}
    return {"enabled": True, "kmsKeyArn": told["KMSMasterKeyArn"]}
