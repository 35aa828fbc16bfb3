"""Convert a DynamoDB table description to Pulumi inputs. Pure."""

from __future__ import annotations

from typing import Any


def shape_of(table: Any) -> dict[str, Any]:
    """Return the inputs that would create a described table."""
    keys = {key["KeyType"]: key["AttributeName"] for key in table["KeySchema"]}
    mode = table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
    stream = table.get("StreamSpecification", {})
    shape: dict[str, Any] = {
        "hashKey": keys["HASH"],
        "rangeKey": keys.get("RANGE"),
        "attributes": [
            {"name": attribute["AttributeName"], "type": attribute["AttributeType"]}
            for attribute in table["AttributeDefinitions"]
        ],
        "billingMode": mode,
        "deletionProtectionEnabled": table.get("DeletionProtectionEnabled", False),
        "streamEnabled": stream.get("StreamEnabled", False),
        "streamViewType": stream.get("StreamViewType"),
        "globalSecondaryIndexes": [
            _global_index(index, mode) for index in table.get("GlobalSecondaryIndexes", [])
        ],
        "localSecondaryIndexes": [
            {**_index(index), "rangeKey": index["KeySchema"][1]["AttributeName"]}
            for index in table.get("LocalSecondaryIndexes", [])
        ],
        "serverSideEncryption": _encryption(table.get("SSEDescription")),
        **(_capacity(table["ProvisionedThroughput"]) if mode == "PROVISIONED" else {}),
    }
    return {name: value for name, value in shape.items() if value not in (None, [], {})}


def _capacity(throughput: Any) -> dict[str, int]:
    return {
        "readCapacity": throughput["ReadCapacityUnits"],
        "writeCapacity": throughput["WriteCapacityUnits"],
    }


def _index(index: Any) -> dict[str, Any]:
    projection = index["Projection"]
    shape = {"name": index["IndexName"], "projectionType": projection["ProjectionType"]}
    attributes = projection.get("NonKeyAttributes")
    return {**shape, "nonKeyAttributes": attributes} if attributes else shape


def _global_index(index: Any, mode: str) -> dict[str, Any]:
    schema = [
        {"attributeName": key["AttributeName"], "keyType": key["KeyType"]}
        for key in index["KeySchema"]
    ]
    provisioned = mode == "PROVISIONED"
    capacity = _capacity(index["ProvisionedThroughput"]) if provisioned else {}
    return {**_index(index), "keySchemas": schema, **capacity}


def _encryption(description: Any) -> dict[str, Any]:
    if not description or description.get("Status") != "ENABLED":
        return {}
    return {"enabled": True, "kmsKeyArn": description["KMSMasterKeyArn"]}
