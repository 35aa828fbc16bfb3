"""What is recorded of a client's calls, and what they ask of IAM."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.permissions.calls import Ear, RecordedCall, UnknownCallError, listening

ROLE = "arn:aws:iam::123456789012:role/hop"
WRITER = "arn:aws-cn:iam::210987654321:role/writer"


def asked(operation: str, *, who: str = ROLE, region: str = "us-east-1", **params: Any) -> Any:
    recorded = RecordedCall(who, "dynamodb", operation, region, params)
    return [(call.action, call.resource) for call in Ear([recorded]).calls()]


def table(name: str) -> str:
    return f"arn:aws:dynamodb:us-east-1:123456789012:table/{name}"


def test_a_table_is_in_the_account_of_the_caller_and_the_partition_of_the_region() -> None:
    assert asked("PutItem", TableName="a") == [("dynamodb:PutItem", table("a"))]
    there = "arn:aws-cn:dynamodb:cn-north-1:210987654321:table/a"
    for name in ("a", there):
        put = asked("PutItem", who=WRITER, region="cn-north-1", TableName=name)
        assert put == [("dynamodb:PutItem", there)]


def test_a_batch_asks_for_each_of_its_tables() -> None:
    assert asked("BatchGetItem", RequestItems={"a": {}, "b": {}}) == [
        ("dynamodb:BatchGetItem", table("a")),
        ("dynamodb:BatchGetItem", table("b")),
    ]


def test_a_transaction_asks_for_what_is_in_it_and_not_for_itself() -> None:
    items = [{"Put": {"TableName": "a"}}, {"ConditionCheck": {"TableName": "b"}}]

    assert asked("TransactWriteItems", TransactItems=items) == [
        ("dynamodb:PutItem", table("a")),
        ("dynamodb:ConditionCheckItem", table("b")),
    ]


def test_partiql_has_actions_of_its_own() -> None:
    statements = [
        {"Statement": 'INSERT INTO "a" VALUE ?'},
        {"Statement": 'update "b" SET x = 1'},
        {"Statement": 'SELECT x FROM "c" WHERE id = ?'},
    ]

    assert asked("BatchExecuteStatement", Statements=statements) == [
        ("dynamodb:PartiQLInsert", table("a")),
        ("dynamodb:PartiQLUpdate", table("b")),
        ("dynamodb:PartiQLSelect", table("c")),
    ]
    assert asked("ExecuteStatement", Statement='DELETE FROM "a" WHERE id = ?') == [
        ("dynamodb:PartiQLDelete", table("a"))
    ]


def test_a_call_of_which_nothing_is_known_is_an_error() -> None:
    with pytest.raises(UnknownCallError, match="UpdateTable"):
        asked("UpdateTable", TableName="a")
    with pytest.raises(UnknownCallError, match="ACL"):
        list(Ear([RecordedCall(ROLE, "s3", "PutObject", "us-east-1", {"ACL": "x"})]).calls())


def test_a_client_is_recorded_under_the_role_that_it_has_taken() -> None:
    with mock_aws(), listening() as ear:
        sts: Any = boto3.client("sts", region_name="cn-north-1")
        ear.whose[sts._request_signer._credentials.access_key] = ROLE
        with ear.opened():
            taken = sts.assume_role(RoleArn=WRITER, RoleSessionName="ring")["Credentials"]
            tables: Any = boto3.client(
                "dynamodb",
                region_name="cn-north-1",
                aws_access_key_id=taken["AccessKeyId"],
                aws_secret_access_key=taken["SecretAccessKey"],
                aws_session_token=taken["SessionToken"],
            )
            with pytest.raises(tables.exceptions.ResourceNotFoundException):
                tables.get_item(TableName="a", Key={"id": {"S": "1"}})

    assert [(call.who, call.action) for call in ear.calls()] == [
        (ROLE, "sts:AssumeRole"),
        (WRITER, "dynamodb:GetItem"),
    ]


def test_what_is_called_while_nobody_listens_is_not_recorded() -> None:
    with mock_aws(), listening() as ear:
        client: Any = boto3.client("sts", region_name="us-east-1")
        client.get_caller_identity()

    assert ear.recorded == []
