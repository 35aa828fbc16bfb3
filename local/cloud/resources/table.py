"""A table as Pulumi declares it, made by boto3."""

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
    changed,
    found,
    retag,
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

    fixed = frozenset({"name", "hashKey", "rangeKey", "localSecondaryIndexes"})
    computed = frozenset({"arn", "streamArn", "streamLabel"})
    unordered = frozenset({"attributes", "globalSecondaryIndexes", "localSecondaryIndexes"})
    kept = frozenset(
        {"globalSecondaryIndexes", "pointInTimeRecovery", "serverSideEncryption", "ttl"}
    )

    def planned(self, old: Properties, new: Properties) -> dict[str, Any]:
        """Keep what is left out, what is off already, and attributes that no new index asks for.

        Attributes are a set of names: another type of one is no change.
        """
        told = super().planned(old, new)
        for block in ("serverSideEncryption", "ttl"):
            if _is_off(old.get(block)) and _is_off(told.get(block)):
                told.pop(block, None)
                told |= {block: old[block]} if block in old else {}
        if "attributes" in old and "attributes" in told:
            told["attributes"] = _planned_attributes(old, told)
        return told

    def create(self, inputs: Properties, place: Location) -> Created:
        """Make the table, with its expiry and backups."""
        client = place.clients.dynamodb(place.region)
        name = inputs["name"]
        described = client.create_table(**_table_request(inputs, place))["TableDescription"]
        created = Created(name, _identity(described))
        try:
            if inputs.get("ttl", {}).get("enabled"):
                _set_expiry(client, name, inputs["ttl"])
            if backups := inputs.get("pointInTimeRecovery"):
                _back_up(client, name, backups["enabled"])
        except ClientError as error:
            raise PartlyCreatedError(created) from error
        return created

    def read(self, id_: str, place: Location) -> Properties | None:
        """Describe the table."""
        client = place.clients.dynamodb(place.region)
        answer: Any = found(lambda: client.describe_table(TableName=id_), _MISSING)
        if answer is None:
            return None
        table = answer["Table"]
        tags = client.list_tags_of_resource(ResourceArn=table["TableArn"]).get("Tags", [])
        return {
            "name": id_,
            **_identity(table),
            **shape_of(table),
            "ttl": _expiry(client, id_),
            "pointInTimeRecovery": {"enabled": _is_backed_up(client, id_)},
            "tagsAll": as_map(tags),
        }

    def update(self, id_: str, old: Properties, new: Properties, place: Location) -> None:
        """Change all that can be changed of a table that is in use, in the provider's order."""
        client: Any = place.clients.dynamodb(place.region)
        for gone in deleted_indexes(old, new):
            client.update_table(TableName=id_, GlobalSecondaryIndexUpdates=[gone])
        if request := _together(old, new):
            client.update_table(TableName=id_, **request)
        for made in created_indexes(old, new):
            client.update_table(
                TableName=id_,
                AttributeDefinitions=_attributes(new),
                GlobalSecondaryIndexUpdates=[made],
            )
        if changed(old, new, "serverSideEncryption"):
            client.update_table(TableName=id_, SSESpecification=_encryption(new))
        if changed(old, new, "ttl") and "ttl" in new:
            _set_expiry(client, id_, new["ttl"])
        if changed(old, new, "pointInTimeRecovery"):
            _back_up(client, id_, new.get("pointInTimeRecovery", {}).get("enabled", False))
        arn = client.describe_table(TableName=id_)["Table"]["TableArn"]
        retag(
            as_map(client.list_tags_of_resource(ResourceArn=arn).get("Tags", [])),
            place.tags(new),
            lambda gone: client.untag_resource(ResourceArn=arn, TagKeys=gone),
            lambda put: client.tag_resource(ResourceArn=arn, Tags=as_list(put)),
        )

    def delete(self, id_: str, place: Location) -> None:
        """Delete the table and its items. AWS refuses where it is protected against that."""
        client = place.clients.dynamodb(place.region)
        found(lambda: client.delete_table(TableName=id_), _MISSING)


def _identity(table: Any) -> dict[str, str]:
    return {
        "arn": table["TableArn"],
        "streamArn": table.get("LatestStreamArn", ""),
        "streamLabel": table.get("LatestStreamLabel", ""),
    }


def _is_off(block: Any) -> bool:
    return not block or (isinstance(block, Mapping) and block.get("enabled") is False)


def _planned_attributes(old: Properties, told: Properties) -> list[Any]:
    """Attributes change with the global indexes alone, and a known one keeps its type."""
    if told.get("globalSecondaryIndexes") == old.get("globalSecondaryIndexes"):
        kept: list[Any] = old["attributes"]
        return kept
    before = {one["name"]: one for one in old["attributes"]}
    return [before.get(one["name"], one) for one in told["attributes"]]


def _set_expiry(client: DynamoDBClient, name: str, ttl: Properties) -> None:
    """Switch it on or off in one call, as the provider does."""
    wanted, attribute = bool(ttl.get("enabled")), ttl.get("attributeName", "")
    _refuse_second_attribute(client, name, attribute)
    client.update_time_to_live(
        TableName=name,
        TimeToLiveSpecification={"Enabled": wanted, "AttributeName": attribute},
    )


def _refuse_second_attribute(client: DynamoDBClient, name: str, attribute: str) -> None:
    """Refuse another attribute while one is active, as DynamoDB does and moto does not.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTimeToLive.html
    """
    active = _expiry(client, name).get("attributeName")
    if active not in (None, attribute):
        text = (
            f"TimeToLive is active on a different AttributeName: current AttributeName is {active}"
        )
        raise ClientError(
            {"Error": {"Code": "ValidationException", "Message": text}}, "UpdateTimeToLive"
        )


def _expiry(client: DynamoDBClient, name: str) -> dict[str, Any]:
    told = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    if told.get("TimeToLiveStatus") != "ENABLED":
        return {}
    return {"attributeName": told["AttributeName"], "enabled": True}


def _is_backed_up(client: DynamoDBClient, name: str) -> bool:
    told = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    recovery = told.get("PointInTimeRecoveryDescription", {})
    return recovery.get("PointInTimeRecoveryStatus") == "ENABLED"


def _back_up(client: DynamoDBClient, name: str, enabled: bool) -> None:
    try:
        client.update_continuous_backups(
            TableName=name,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": enabled},
        )
    except ClientError as error:
        # A server at `--dynamodb` may know no backups.
        if error.response["Error"]["Code"] != "UnknownOperationException":
            raise


def _table_request(inputs: Properties, place: Location) -> Any:
    provisioned = is_provisioned(inputs)
    request: dict[str, Any] = {
        "TableName": inputs["name"],
        "KeySchema": key_schema(inputs["hashKey"], inputs.get("rangeKey")),
        "AttributeDefinitions": _attributes(inputs),
        **_billing(inputs),
        "DeletionProtectionEnabled": inputs.get("deletionProtectionEnabled", False),
        "Tags": place.tag_list(inputs),
    }
    if inputs.get("streamEnabled"):
        request["StreamSpecification"] = _stream(inputs)
    if wide := inputs.get("globalSecondaryIndexes"):
        request["GlobalSecondaryIndexes"] = [global_index(one, provisioned) for one in wide]
    if near := inputs.get("localSecondaryIndexes"):
        request["LocalSecondaryIndexes"] = [
            index_of(one, key_schema(inputs["hashKey"], one["rangeKey"])) for one in near
        ]
    if inputs.get("serverSideEncryption", {}).get("enabled"):
        request["SSESpecification"] = _encryption(inputs)
    return request


def _together(old: Properties, new: Properties) -> dict[str, Any]:
    """Return what is changed in one call, if anything."""
    request: dict[str, Any] = {}
    if changed(old, new, "billingMode", "readCapacity", "writeCapacity"):
        request |= _billing(new)
    if changed(old, new, "deletionProtectionEnabled"):
        request["DeletionProtectionEnabled"] = new.get("deletionProtectionEnabled", False)
    if changed(old, new, "streamEnabled", "streamViewType"):
        request["StreamSpecification"] = _stream(new)
    if resized := resized_indexes(old, new):
        request["GlobalSecondaryIndexUpdates"] = resized
    return request


def _attributes(inputs: Properties) -> list[dict[str, str]]:
    return [
        {"AttributeName": one["name"], "AttributeType": one["type"]} for one in inputs["attributes"]
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
