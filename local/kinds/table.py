"""A table as Pulumi declares it, made by boto3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from local.kinds.kind import (
    Created,
    Kind,
    PartlyMadeError,
    Place,
    Properties,
    as_list,
    as_map,
    changed,
    found,
    retag,
)
from local.kinds.table_shape import shape_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_MISSING = "ResourceNotFoundException"


class Table(Kind):
    """aws:dynamodb/table:Table.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/dynamodb/table.go
    """

    fixed = frozenset({"name", "hashKey", "rangeKey", "localSecondaryIndexes"})
    computed = frozenset({"arn", "streamArn", "streamLabel"})
    unordered = frozenset({"attributes", "globalSecondaryIndexes", "localSecondaryIndexes"})

    def create(self, inputs: Properties, place: Place) -> Created:
        """Make the table, with its expiry and backups."""
        client = place.clients.dynamodb(place.region)
        name = inputs["name"]
        described = client.create_table(**_table_request(inputs, place))["TableDescription"]
        created = Created(name, _identity(described))
        try:
            _expire(client, name, {}, inputs.get("ttl", {}))
            if backups := inputs.get("pointInTimeRecovery"):
                _back_up(client, name, backups["enabled"])
        except ClientError as error:
            raise PartlyMadeError(created) from error
        return created

    def read(self, id_: str, place: Place) -> Properties | None:
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

    def update(self, id_: str, old: Properties, new: Properties, place: Place) -> None:
        """Change all that can be changed of a table that is in use."""
        client: Any = place.clients.dynamodb(place.region)
        if changed(old, new, "deletionProtectionEnabled"):
            wanted = new.get("deletionProtectionEnabled", False)
            client.update_table(TableName=id_, DeletionProtectionEnabled=wanted)
        if changed(old, new, "billingMode", "readCapacity", "writeCapacity"):
            client.update_table(TableName=id_, **_billing(new))
        if changed(old, new, "streamEnabled", "streamViewType"):
            client.update_table(TableName=id_, StreamSpecification=_stream(new))
        for change in _index_changes(old, new):
            client.update_table(
                TableName=id_,
                AttributeDefinitions=_attributes(new),
                GlobalSecondaryIndexUpdates=[change],
            )
        if changed(old, new, "ttl"):
            _expire(client, id_, old.get("ttl", {}), new.get("ttl", {}))
        if changed(old, new, "pointInTimeRecovery"):
            _back_up(client, id_, new.get("pointInTimeRecovery", {}).get("enabled", False))
        if changed(old, new, "serverSideEncryption"):
            client.update_table(TableName=id_, SSESpecification=_encryption(new))
        arn = client.describe_table(TableName=id_)["Table"]["TableArn"]
        retag(
            as_map(client.list_tags_of_resource(ResourceArn=arn).get("Tags", [])),
            place.tags(new),
            lambda gone: client.untag_resource(ResourceArn=arn, TagKeys=gone),
            lambda put: client.tag_resource(ResourceArn=arn, Tags=as_list(put)),
        )

    def delete(self, id_: str, place: Place) -> None:
        """Delete the table and its items. AWS refuses where it is protected against that."""
        client = place.clients.dynamodb(place.region)
        found(lambda: client.delete_table(TableName=id_), _MISSING)


def _identity(table: Any) -> dict[str, str]:
    return {
        "arn": table["TableArn"],
        "streamArn": table.get("LatestStreamArn", ""),
        "streamLabel": table.get("LatestStreamLabel", ""),
    }


def _expire(client: DynamoDBClient, name: str, old: Properties, new: Properties) -> None:
    """Let items expire as the new inputs say. Another attribute must be let go first."""
    if old and old.get("attributeName") != new.get("attributeName"):
        _set_expiry(client, name, old["attributeName"], enabled=False)
    if new:
        _set_expiry(client, name, new["attributeName"], enabled=new.get("enabled", True))


def _set_expiry(client: DynamoDBClient, name: str, attribute: str, *, enabled: bool) -> None:
    client.update_time_to_live(
        TableName=name,
        TimeToLiveSpecification={"Enabled": enabled, "AttributeName": attribute},
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


def _index_changes(old: Properties, new: Properties) -> list[Any]:
    """Return what to do to global indexes, one at a time, as DynamoDB wants it."""
    before = {one["name"]: one for one in old.get("globalSecondaryIndexes", [])}
    after = {one["name"]: one for one in new.get("globalSecondaryIndexes", [])}
    provisioned = _is_provisioned(new)
    gone = [
        {"Delete": {"IndexName": name}}
        for name, index in before.items()
        if name not in after or _keys_of(index) != _keys_of(after[name])
    ]
    made = [
        {"Create": _global_index(index, provisioned)}
        for name, index in after.items()
        if name not in before or _keys_of(index) != _keys_of(before[name])
    ]
    return [*gone, *made]


def _keys_of(index: Properties) -> tuple[Any, ...]:
    """Return what cannot be changed of a global index."""
    names = ("keySchemas", "hashKey", "rangeKey", "projectionType", "nonKeyAttributes")
    return tuple(index.get(name) for name in names)


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


def _table_request(inputs: Properties, place: Place) -> Any:
    provisioned = _is_provisioned(inputs)
    request: dict[str, Any] = {
        "TableName": inputs["name"],
        "KeySchema": _key_schema(inputs["hashKey"], inputs.get("rangeKey")),
        "AttributeDefinitions": _attributes(inputs),
        **_billing(inputs),
        "DeletionProtectionEnabled": inputs.get("deletionProtectionEnabled", False),
        "Tags": place.tag_list(inputs),
    }
    if inputs.get("streamEnabled"):
        request["StreamSpecification"] = _stream(inputs)
    if wide := inputs.get("globalSecondaryIndexes"):
        request["GlobalSecondaryIndexes"] = [_global_index(one, provisioned) for one in wide]
    if near := inputs.get("localSecondaryIndexes"):
        request["LocalSecondaryIndexes"] = [
            _index(one, _key_schema(inputs["hashKey"], one["rangeKey"])) for one in near
        ]
    if inputs.get("serverSideEncryption", {}).get("enabled"):
        request["SSESpecification"] = _encryption(inputs)
    return request


def _is_provisioned(inputs: Properties) -> bool:
    mode: str = inputs.get("billingMode", "PROVISIONED")
    return mode == "PROVISIONED"


def _attributes(inputs: Properties) -> list[dict[str, str]]:
    return [
        {"AttributeName": one["name"], "AttributeType": one["type"]} for one in inputs["attributes"]
    ]


def _billing(inputs: Properties) -> dict[str, Any]:
    if _is_provisioned(inputs):
        return {"BillingMode": "PROVISIONED", "ProvisionedThroughput": _capacity(inputs)}
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


def _key_schema(hash_key: str, range_key: str | None) -> list[dict[str, str]]:
    schema = [{"AttributeName": hash_key, "KeyType": "HASH"}]
    return [*schema, {"AttributeName": range_key, "KeyType": "RANGE"}] if range_key else schema


def _capacity(inputs: Properties) -> dict[str, int]:
    return {
        "ReadCapacityUnits": inputs["readCapacity"],
        "WriteCapacityUnits": inputs["writeCapacity"],
    }


def _global_index(inputs: Properties, provisioned: bool) -> dict[str, Any]:
    # An index names its keys in a list, or, in the older way, one by one.
    schema = [
        {"AttributeName": one["attributeName"], "KeyType": one["keyType"]}
        for one in inputs.get("keySchemas", [])
    ] or _key_schema(inputs["hashKey"], inputs.get("rangeKey"))
    capacity = {"ProvisionedThroughput": _capacity(inputs)} if provisioned else {}
    return {**_index(inputs, schema), **capacity}


def _index(inputs: Properties, schema: list[dict[str, str]]) -> dict[str, Any]:
    projection: dict[str, Any] = {"ProjectionType": inputs["projectionType"]}
    if inputs.get("nonKeyAttributes"):
        projection["NonKeyAttributes"] = list(inputs["nonKeyAttributes"])
    return {"IndexName": inputs["name"], "KeySchema": schema, "Projection": projection}
