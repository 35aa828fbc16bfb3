"""The judge itself: what IAM would allow, it allows, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.permissions.judge import (
    ASSUME,
    Call,
    Law,
    UnknownInPolicyError,
    permits,
    read_policy,
    read_trust,
)

TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/orders"
ROLE = "arn:aws:iam::123456789012:role/hop"
WRITER = "arn:aws:iam::210987654321:role/writer"
PUT = Call(ROLE, "dynamodb:PutItem", TABLE)
VIA: dict[str, Any] = {"Condition": {"StringLike": {"kms:ViaService": "dynamodb.us-east-1.*"}}}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def statement(**changes: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": TABLE} | changes


def is_allowed(call: Call, *statements: dict[str, Any]) -> bool:
    return permits([read_policy(document(*statements))], call)


def test_a_call_is_allowed_by_its_action_on_its_resource_alone() -> None:
    assert is_allowed(PUT, statement())
    assert not is_allowed(PUT)
    assert not is_allowed(PUT, statement(Action="dynamodb:GetItem"))
    assert not is_allowed(PUT, statement(Resource=TABLE + "-tombstones"))
    assert not is_allowed(PUT, statement(Resource=TABLE[:-1]))


def test_actions_are_alike_in_any_case_and_resources_are_not() -> None:
    assert is_allowed(PUT, statement(Action="DynamoDB:putitem"))
    assert not is_allowed(PUT, statement(Resource=TABLE.upper()))


def test_wildcards_stand_for_what_iam_lets_them_stand_for() -> None:
    assert is_allowed(PUT, statement(Action="dynamodb:Put*", Resource="*"))
    assert is_allowed(PUT, statement(Resource=TABLE.replace("orders", "order?")))
    assert not is_allowed(PUT, statement(Resource=TABLE.replace("orders", "[o]rders")))
    assert not is_allowed(PUT, statement(Resource=TABLE + "/*"))


def test_what_is_denied_is_not_allowed_whatever_else_is_said() -> None:
    assert not is_allowed(PUT, statement(), statement(Effect="Deny", Action="*", Resource="*"))
    assert is_allowed(PUT, statement(), statement(Effect="Deny", Action="dynamodb:GetItem"))


def test_a_condition_holds_only_where_the_call_says_so() -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/1"
    allowed = statement(Action="kms:Decrypt", Resource=key, **VIA)

    def via(service: str) -> Call:
        return Call(ROLE, "kms:Decrypt", key, (("kms:ViaService", service),))

    assert is_allowed(via("dynamodb.us-east-1.amazonaws.com"), allowed)
    assert not is_allowed(via("dynamodb.eu-west-1.amazonaws.com"), allowed)
    assert not is_allowed(via("s3.us-east-1.amazonaws.com"), allowed)
    assert not is_allowed(Call(ROLE, "kms:Decrypt", key), allowed)


@pytest.mark.parametrize(
    "unknown",
    [
        statement(NotAction="dynamodb:GetItem"),
        statement(Resource=[]),
        statement(Effect="allow"),
        statement(Resource="arn:aws:s3:::${aws:username}"),
        statement(Condition={"StringNotLike": {"kms:ViaService": "x"}}),
        statement(Condition={"StringLike": {"aws:SourceVpc": "x"}}),
        {"Effect": "Allow", "Action": "dynamodb:PutItem"},
    ],
)
def test_what_the_judge_does_not_know_is_an_error_and_never_a_pass(unknown: dict[str, Any]) -> None:
    with pytest.raises(UnknownInPolicyError):
        read_policy(document(unknown))


@pytest.mark.parametrize(
    "principal",
    ["*", {}, {"AWS": []}, {"AWS": "*"}, {"AWS": "arn:aws:iam::1:root"}, {"Federated": "x"}],
)
def test_a_role_that_trusts_more_than_one_other_is_an_error(principal: Any) -> None:
    trust = {"Effect": "Allow", "Action": ASSUME, "Principal": principal}
    with pytest.raises(UnknownInPolicyError):
        read_trust(document(trust))


def test_another_version_of_the_language_is_an_error() -> None:
    with pytest.raises(UnknownInPolicyError):
        read_policy({"Version": "2008-10-17", "Statement": []})


def test_to_take_a_role_it_must_trust_the_taker_and_the_taker_be_allowed() -> None:
    trust = read_trust(document({"Effect": "Allow", "Action": ASSUME, "Principal": {"AWS": ROLE}}))
    may = read_policy(document(statement(Action=ASSUME, Resource=WRITER)))
    take = Call(ROLE, ASSUME, WRITER)

    assert Law({ROLE: (may,)}, {WRITER: trust}).permits(take)
    assert not Law({ROLE: (may,)}, {}).permits(take)
    assert not Law({}, {WRITER: trust}).permits(take)
    other = Call(ROLE + "-2", ASSUME, WRITER)
    assert not Law({other.who: (may,)}, {WRITER: trust}).permits(other)


def test_a_service_takes_a_role_by_its_trust_alone() -> None:
    lambdas = {"Service": "lambda.amazonaws.com"}
    trust = read_trust(document({"Effect": "Allow", "Action": ASSUME, "Principal": lambdas}))

    assert Law({}, {ROLE: trust}).permits(Call("lambda.amazonaws.com", ASSUME, ROLE))
    assert not Law({}, {ROLE: trust}).permits(Call("ec2.amazonaws.com", ASSUME, ROLE))


def test_one_action_can_be_taken_out_of_a_document_and_the_rest_stays() -> None:
    law = Law({ROLE: (read_policy(document(statement(Action=["dynamodb:PutItem", "a:B"]))),)})
    (put,) = [one for one in law.allowances() if one.action == "dynamodb:PutItem"]

    assert put.grants(PUT)
    assert not law.without(put).permits(PUT)
    assert law.without(put).permits(Call(ROLE, "a:B", TABLE))
