"""DynamoDB tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from local.cloud.resources.resource_type import (
    Created,
    Location,
    PartlyCreatedError,
    Properties,
    ResourceType,
    as_list,
    as_map,
    get_or_none,
    has_changed,
    update_tags,
)
from local.cloud.resources.table_indexes import (
    capacity,
    created_indexes,
    deleted_indexes,
    global_index,
    index_of,
    is_provisioned,
    key_schema,
    resized_indexes,
)
from local.cloud.resources.table_shape import shape_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_MISSING = "ResourceNotFoundException"


class Table(ResourceType):
    """aws:dynamodb/table:Table.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/dynamodb/table.go
    """

    force_new = frozenset({"name", "hashKey", "rangeKey", "localSecondaryIndexes"})
    computed = frozenset({"arn", "streamArn", "streamLabel"})
    unordered = frozenset({"attributes", "globalSecondaryIndexes", "localSecondaryIndexes"})
    optional_computed = frozenset(
        {"globalSecondaryIndexes", "pointInTimeRecovery", "serverSideEncryption", "ttl"}
    )

    def plan(self, old: Properties, new: Properties) -> dict[str, Any]:
        """Keep omitted blocks, blocks that remain disabled, and attributes without a new index.

        Attributes are compared by name: another type of one is no change.
        """
        inputs = super().plan(old, new)
        for block in ("serverSideEncryption", "ttl"):
            if _is_off(old.get(block)) and _is_off(inputs.get(block)):
                inputs.pop(block, None)
                inputs |= {block: old[block]} if block in old else {}
        if "attributes" in old and "attributes" in inputs:
            inputs["attributes"] = _planned_attributes(old, inputs)
        return inputs

    def create(self, inputs: Properties, location: Location) -> Created:
        """Create the table, then enable its time to live and backups."""
        client = location.clients.dynamodb(location.region)
        name = inputs["name"]
        described = client.create_table(**_table_request(inputs, location))["TableDescription"]
        created = Created(name, _identity(described))
        try:
            if inputs.get("ttl", {}).get("enabled"):
                _set_ttl(client, name, inputs["ttl"])
            if backups := inputs.get("pointInTimeRecovery"):
                _set_backups(client, name, backups["enabled"])
        except ClientError as error:
            raise PartlyCreatedError(created) from error
        return created

    def read(self, id_: str, location: Location) -> Properties | None:
        """Describe the table."""
        client = location.clients.dynamodb(location.region)
        response: Any = get_or_none(lambda: client.describe_table(TableName=id_), _MISSING)
        if response is None:
            return None
        table = response["Table"]
        tags = client.list_tags_of_resource(ResourceArn=table["TableArn"]).get("Tags", [])
        return {
            "name": id_,
            **_identity(table),
            **shape_of(table),
            "ttl": _ttl(client, id_),
            "pointInTimeRecovery": {"enabled": _has_backups(client, id_)},
            "tagsAll": as_map(tags),
        }

    def update(self, id_: str, old: Properties, new: Properties, location: Location) -> None:
        """Update the table in place, in the provider's order."""
        client: Any = location.clients.dynamodb(location.region)
        for deletion in deleted_indexes(old, new):
            client.update_table(TableName=id_, GlobalSecondaryIndexUpdates=[deletion])
        if request := _combined_changes(old, new):
            client.update_table(TableName=id_, **request)
        for creation in created_indexes(old, new):
            client.update_table(
                TableName=id_,
                AttributeDefinitions=_attributes(new),
                GlobalSecondaryIndexUpdates=[creation],
            )
        if has_changed(old, new, "serverSideEncryption"):
            client.update_table(TableName=id_, SSESpecification=_encryption(new))
        if has_changed(old, new, "ttl") and "ttl" in new:
            _set_ttl(client, id_, new["ttl"])
        if has_changed(old, new, "pointInTimeRecovery"):
            _set_backups(client, id_, new.get("pointInTimeRecovery", {}).get("enabled", False))
        arn = client.describe_table(TableName=id_)["Table"]["TableArn"]
        update_tags(
            as_map(client.list_tags_of_resource(ResourceArn=arn).get("Tags", [])),
            location.tags(new),
            lambda keys: client.untag_resource(ResourceArn=arn, TagKeys=keys),
            lambda tags: client.tag_resource(ResourceArn=arn, Tags=as_list(tags)),
        )

    def delete(self, id_: str, location: Location) -> None:
        """Delete the table. AWS refuses this for a table with deletion protection."""
        client = location.clients.dynamodb(location.region)
        get_or_none(lambda: client.delete_table(TableName=id_), _MISSING)


def _identity(table: Any) -> dict[str, str]:
    return {
        "arn": table["TableArn"],
        "streamArn": table.get("LatestStreamArn", ""),
        "streamLabel": table.get("LatestStreamLabel", ""),
    }


def _is_off(block: Any) -> bool:
    return not block or (isinstance(block, Mapping) and block.get("enabled") is False)


def _planned_attributes(old: Properties, inputs: Properties) -> list[Any]:
    """Return new attributes if the global indexes change; an attribute keeps its type."""
    if inputs.get("globalSecondaryIndexes") == old.get("globalSecondaryIndexes"):
        unchanged: list[Any] = old["attributes"]
        return unchanged
    before = {attribute["name"]: attribute for attribute in old["attributes"]}
    return [before.get(attribute["name"], attribute) for attribute in inputs["attributes"]]


def _set_ttl(client: DynamoDBClient, name: str, ttl: Properties) -> None:
    """Enable or disable time to live in one call, as the provider does."""
    enabled, attribute = bool(ttl.get("enabled")), ttl.get("attributeName", "")
    _ensure_same_ttl_attribute(client, name, attribute)
    client.update_time_to_live(
        TableName=name,
        TimeToLiveSpecification={"Enabled": enabled, "AttributeName": attribute},
    )


def _ensure_same_ttl_attribute(client: DynamoDBClient, name: str, attribute: str) -> None:
    """Reject another attribute while one is active, as DynamoDB does and moto does not.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTimeToLive.html
    """
    active = _ttl(client, name).get("attributeName")
    if active not in (None, attribute):
        text = (
            f"TimeToLive is active on a different AttributeName: current AttributeName is {active}"
        )
        raise ClientError(
            {"Error": {"Code": "ValidationException", "Message": text}}, "UpdateTimeToLive"
        )


def _ttl(client: DynamoDBClient, name: str) -> dict[str, Any]:
    description = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    if description.get("TimeToLiveStatus") != "ENABLED":
        return {}
    return {"attributeName": description["AttributeName"], "enabled": True}


def _has_backups(client: DynamoDBClient, name: str) -> bool:
    backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription", {})
    return recovery.get("PointInTimeRecoveryStatus") == "ENABLED"


def _set_backups(client: DynamoDBClient, name: str, enabled: bool) -> None:
    try:
        client.update_continuous_backups(
            TableName=name,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": enabled},
        )
    except ClientError as error:
        # A server given by `--dynamodb` may not implement backups.
        if error.response["Error"]["Code"] != "UnknownOperationException":
            raise


def _table_request(inputs: Properties, location: Location) -> Any:
    provisioned = is_provisioned(inputs)
    request: dict[str, Any] = {
        "TableName": inputs["name"],
        "KeySchema": key_schema(inputs["hashKey"], inputs.get("rangeKey")),
        "AttributeDefinitions": _attributes(inputs),
        **_billing(inputs),
        "DeletionProtectionEnabled": inputs.get("deletionProtectionEnabled", False),
        "Tags": location.tag_list(inputs),
    }
    if inputs.get("streamEnabled"):
        request["StreamSpecification"] = _stream(inputs)
    if indexes := inputs.get("globalSecondaryIndexes"):
        request["GlobalSecondaryIndexes"] = [global_index(index, provisioned) for index in indexes]
    if indexes := inputs.get("localSecondaryIndexes"):
        request["LocalSecondaryIndexes"] = [
            index_of(index, key_schema(inputs["hashKey"], index["rangeKey"])) for index in indexes
        ]
    if inputs.get("serverSideEncryption", {}).get("enabled"):
        request["SSESpecification"] = _encryption(inputs)
    return request


def _combined_changes(old: Properties, new: Properties) -> dict[str, Any]:
    """Return the changes that the provider makes in a single UpdateTable call, if any."""
    request: dict[str, Any] = {}
    if has_changed(old, new, "billingMode", "readCapacity", "writeCapacity"):
        request |= _billing(new)
    if has_changed(old, new, "deletionProtectionEnabled"):
        request["DeletionProtectionEnabled"] = new.get("deletionProtectionEnabled", False)
    if has_changed(old, new, "streamEnabled", "streamViewType"):
        request["StreamSpecification"] = _stream(new)
    if resized := resized_indexes(old, new):
        request["GlobalSecondaryIndexUpdates"] = resized
    return request


def _attributes(inputs: Properties) -> list[dict[str, str]]:
    return [
        {"AttributeName": attribute["name"], "AttributeType": attribute["type"]}
        for attribute in inputs["attributes"]
    ]


def _billing(inputs: Properties) -> dict[str, Any]:
    if is_provisioned(inputs):
        return {"BillingMode": "PROVISIONED", "ProvisionedThroughput": capacity(inputs)}
    return {"BillingMode": "PAY_PER_REQUEST"}


def _stream(inputs: Properties) -> dict[str, Any]:
    if inputs.get("streamEnabled"):
        return {"StreamEnabled": True, "StreamViewType": inputs["streamViewType"]}
    return {"StreamEnabled": False}


def _encryption(inputs: Properties) -> dict[str, Any]:
    sse = inputs.get("serverSideEncryption", {})
    if not sse.get("enabled"):
        return {"Enabled": False}
    key = {"KMSMasterKeyId": sse["kmsKeyArn"]} if "kmsKeyArn" in sse else {}
    return {"Enabled": True, "SSEType": "KMS", **key}
