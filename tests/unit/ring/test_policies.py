"""What the roles of a ring may do: these actions on these ARNs, in every partition."""

from __future__ import annotations

import pytest

from ring.arn import Arn, partition_of, table_arn, table_arn_of_stream, table_of_stream
from ring.policies.bucket import tls_only
from ring.policies.distributed import log_delivery_policy, machine_policy, segments_policy
from ring.policies.hop import hop_policy, writer_policy
from ring.policies.statements import Bucket, Document, SecretAccess, TableAccess
from ring.policies.trust import lambda_trust, states_trust, writer_trust

PLACES = {"aws": "eu-west-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
PARTIQL = {"dynamodb:PartiQLInsert", "dynamodb:PartiQLDelete"}
ITEMS = {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem", *PARTIQL}
TOMBSTONES = {
    "dynamodb:GetItem",
    "dynamodb:BatchGetItem",
    "dynamodb:PutItem",
    "dynamodb:PartiQLInsert",
}


def arn(partition: str, service: str, resource: str, *, account: str = "123456789012") -> str:
    regional = PLACES[partition] if service not in ("iam", "s3") else ""
    return f"arn:{partition}:{service}:{regional}:{account}:{resource}"


def end(
    partition: str, table: str, *, tombstones: bool = True, kms_key: str | None = None
) -> TableAccess:
    return TableAccess(
        region=PLACES[partition],
        table=arn(partition, "dynamodb", f"table/{table}"),
        tombstones=arn(partition, "dynamodb", f"table/{table}-tombstones") if tombstones else None,
        kms_key=kms_key,
    )


def bucket(partition: str, kms_key: str | None = None) -> Bucket:
    whole = arn(partition, "s3", "ring-quarantine", account="")
    return Bucket(whole, PLACES[partition], "123456789012", kms_key)


def policy(partition: str = "aws", **changes: object) -> Document:
    parts: dict[str, object] = {
        "source": end(partition, "a"),
        "target": end(partition, "b"),
        "stream": arn(partition, "dynamodb", "table/a/stream/2024-05-01"),
        "log_group": arn(partition, "logs", "log-group:ring"),
        "quarantine": bucket(partition),
    }
    return hop_policy(**(parts | changes))  # type: ignore[arg-type]


def allowed(document: Document) -> set[tuple[str, str]]:
    assert document["Version"] == "2012-10-17"
    assert {statement["Effect"] for statement in document["Statement"]} == {"Allow"}
    return {
        (action, statement["Resource"])
        for statement in document["Statement"]
        for action in statement["Action"]
    }


def on(resource: str, *actions: str) -> set[tuple[str, str]]:
    return {(action, resource) for action in actions}


@pytest.mark.parametrize("partition", PLACES)
def test_a_hop_may_do_what_its_handler_does_and_nothing_else(partition: str) -> None:
    table = arn(partition, "dynamodb", "table/%s")
    bucket = arn(partition, "s3", "ring-quarantine", account="")

    assert allowed(policy(partition)) == (
        on(
            table % "a/stream/2024-05-01",
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
        )
        | on("*", "dynamodb:ListStreams")
        | on(table % "a", *(ITEMS - {"dynamodb:PartiQLInsert"}))
        | on(table % "a-tombstones", *TOMBSTONES)
        | on(table % "b", *ITEMS)
        | on(table % "b-tombstones", *TOMBSTONES)
        | on(
            arn(partition, "logs", "log-group:ring:*"), "logs:CreateLogStream", "logs:PutLogEvents"
        )
        | on(f"{bucket}/*", "s3:PutObject")
        # Lambda gives no record up to S3 in the other two.
        | on(bucket, *({"s3:ListBucket"} if partition == "aws" else ()))
    )


@pytest.mark.parametrize("partition", PLACES)
def test_every_arn_is_in_the_partition_of_the_ring(partition: str) -> None:
    key = arn(partition, "kms", "key/1")
    whole = policy(
        partition,
        source=end(partition, "a", kms_key=key),
        target=arn(partition, "iam", "role/writer"),
    )

    arns = {resource for _, resource in allowed(whole)} - {"*"}
    assert {Arn.parse(resource).partition for resource in arns} == {partition}


def test_no_statement_is_without_a_name() -> None:
    statements = policy(source=end("aws", "a", kms_key=arn("aws", "kms", "key/1")))["Statement"]

    assert len({statement["Sid"] for statement in statements}) == len(statements)
    assert all(statement["Sid"].isalnum() for statement in statements)


def test_without_tombstones_no_tombstone_table_is_named() -> None:
    plain = policy(
        source=end("aws", "a", tombstones=False), target=end("aws", "b", tombstones=False)
    )

    assert not [resource for _, resource in allowed(plain) if "tombstones" in resource]
    assert on(arn("aws", "dynamodb", "table/b"), *ITEMS) < allowed(plain)


def test_a_target_behind_a_role_is_reached_through_that_role_alone() -> None:
    role = arn("aws", "iam", "role/writer")
    through = allowed(policy(target=role))

    assert ("sts:AssumeRole", role) in through
    assert not [resource for _, resource in through if "table/b" in resource]


@pytest.mark.parametrize("partition", PLACES)
def test_keys_are_read_from_one_secret_which_its_own_key_decrypts(partition: str) -> None:
    keys = arn(partition, "secretsmanager", "secret:ring-a1B2c3")
    key = arn(partition, "kms", "key/1")
    with_aws_key, with_own = (
        policy(partition, target=SecretAccess(keys, kms_key)) for kms_key in (None, key)
    )
    (decrypt,) = [one for one in with_own["Statement"] if one["Sid"] == "SecretKey"]

    assert ("secretsmanager:GetSecretValue", keys) in allowed(with_aws_key)
    assert allowed(with_own) - allowed(with_aws_key) == {("kms:Decrypt", key)}
    assert decrypt["Condition"] == {
        "StringLike": {"kms:ViaService": f"secretsmanager.{PLACES[partition]}.*"}
    }


def test_a_writer_may_write_the_target_and_nothing_else() -> None:
    assert allowed(writer_policy(end("aws", "b"))) == (
        on(arn("aws", "dynamodb", "table/b"), *ITEMS)
        | on(arn("aws", "dynamodb", "table/b-tombstones"), *TOMBSTONES)
    )


@pytest.mark.parametrize("partition", PLACES)
def test_a_members_key_may_be_used_through_dynamodb_in_its_region_alone(partition: str) -> None:
    key = arn(partition, "kms", "key/1")
    document = writer_policy(end(partition, "b", kms_key=key))
    (statement,) = [one for one in document["Statement"] if one["Sid"] == "TargetKey"]

    assert statement["Resource"] == key
    assert statement["Action"] == ["kms:Decrypt"]
    assert statement["Condition"] == {
        "StringLike": {"kms:ViaService": f"dynamodb.{PLACES[partition]}.*"}
    }


@pytest.mark.parametrize("partition", PLACES)
def test_a_bucket_is_used_only_while_it_is_the_accounts_own(partition: str) -> None:
    whole = policy(partition)["Statement"]
    own = [one for one in whole if ":s3:" in one["Resource"]]

    finds = ["FindQuarantine"] if partition == "aws" else []
    assert [one["Sid"] for one in own] == ["QuarantineRecords", *finds]
    assert all(
        one["Condition"] == {"StringEquals": {"s3:ResourceAccount": "123456789012"}} for one in own
    )


@pytest.mark.parametrize("partition", PLACES)
def test_the_key_of_a_bucket_is_used_through_s3_in_its_region_alone(partition: str) -> None:
    key = arn(partition, "kms", "key/1")
    keyed = bucket(partition, key)
    function = arn(partition, "lambda", "function:segments")
    documents = {
        ("kms:GenerateDataKey",): policy(partition, quarantine=keyed),
        ("kms:GenerateDataKey", "kms:Decrypt"): segments_policy(
            direct=[], roles=[], log_group="g", results=keyed, writes=False
        ),
        ("kms:Decrypt",): machine_policy(machine="m", function=function, results=keyed),
    }

    for actions, document in documents.items():
        (statement,) = [one for one in document["Statement"] if one["Resource"] == key]
        assert tuple(statement["Action"]) == actions
        through = {"StringLike": {"kms:ViaService": f"s3.{PLACES[partition]}.*"}}
        assert statement["Condition"] == through


@pytest.mark.parametrize("partition", PLACES)
def test_a_bucket_denies_whatever_does_not_come_by_tls(partition: str) -> None:
    whole = bucket(partition).arn
    (statement,) = tls_only(whole)["Statement"]

    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Action"] == "s3:*"
    assert statement["Resource"] == [whole, f"{whole}/*"]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize("partition", PLACES)
def test_step_functions_takes_the_role_for_this_stacks_machine_alone(partition: str) -> None:
    place = arn(partition, "logs", "log-group:ring-segments-a1b2c3")
    (statement,) = states_trust(place, "ring-segments")["Statement"]

    machine = arn(partition, "states", "stateMachine:ring-segments-*")
    assert statement["Principal"] == {"Service": "states.amazonaws.com"}
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnLike": {"aws:SourceArn": machine},
    }


def test_a_machine_may_have_its_logs_delivered_and_write_none_itself() -> None:
    actions = {action for action, _ in allowed(log_delivery_policy())}

    assert {"logs:CreateLogDelivery", "logs:PutResourcePolicy"} <= actions
    assert "logs:PutLogEvents" not in actions


def test_only_lambda_may_take_the_role_of_a_function() -> None:
    (statement,) = lambda_trust()["Statement"]

    assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert statement["Action"] == "sts:AssumeRole"


def test_only_the_functions_role_may_take_the_role_of_a_writer() -> None:
    (statement,) = writer_trust("arn:aws:iam::123456789012:role/hop")["Statement"]

    assert statement["Principal"] == {"AWS": "arn:aws:iam::123456789012:role/hop"}


@pytest.mark.parametrize("partition", PLACES)
def test_the_arn_of_a_table_is_put_together_from_its_place(partition: str) -> None:
    whole = table_arn(partition, PLACES[partition], "123456789012", "orders")

    assert whole == arn(partition, "dynamodb", "table/orders")
    assert partition_of(PLACES[partition]) == partition
    assert table_of_stream(f"{whole}/stream/2024-05-01T09:30:00.000") == "orders"
    assert table_arn_of_stream(f"{whole}/stream/2024-05-01T09:30:00.000") == whole


def test_an_arn_taken_apart_and_put_together_is_the_same() -> None:
    stream = "arn:aws:dynamodb:eu-west-1:123456789012:table/a/stream/2024-05-01T09:30:00.000"

    assert str(Arn.parse(stream)) == stream
