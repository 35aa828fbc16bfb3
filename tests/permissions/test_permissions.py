"""What the ring's roles may do is what the ring does: no less, and no more."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import parliament  # type: ignore[import-untyped]
import pytest

from local.stack_config import StackConfig
from ring.arn import Arn
from ring.policies.kms_key import key_statements
from ring.project import PROJECT_ROOT
from tests.permissions.judge import ASSUME, Call, permits, read_policy
from tests.permissions.rings import Trial, tried

TABLE = {"name": "orders", "partition_key": {"name": "id", "type": "S"}}
OTHER = "210987654321"
ADOPTED = f"arn:aws:dynamodb:ap-southeast-2:{OTHER}:table/legacy/stream/2024-05-01T09:30:00.000"


def key(region: str, account: str = "123456789012") -> str:
    return f"arn:aws:kms:{region}:{account}:key/1f0f2d4e-5f0b-4c7a-9a53-6d8c1c5b7a10"


def abroad(region: str, **more: Any) -> dict[str, Any]:
    role = f"arn:aws:iam::{OTHER}:role/deploys-the-ring"
    return {"region": region, "account": OTHER, "role": role, "external_id": "ring-1"} | more


STACKS = {
    "the small example": StackConfig.read(PROJECT_ROOT, "dev"),
    "the large example": StackConfig.read(PROJECT_ROOT, "full"),
    "two partitions": StackConfig.read(PROJECT_ROOT, "china"),
    "two accounts, keys, an adopted table": StackConfig.of(
        {
            "table": TABLE,
            "members": [
                {"region": "us-east-1", "kms_key": key("us-east-1")},
                abroad("eu-west-1", kms_key=key("eu-west-1", OTHER)),
                abroad("ap-southeast-2", stream_arn=ADOPTED),
            ],
            "distributed": {"enabled": True},
        }
    ),
    "two accounts without tombstones": StackConfig.of(
        {
            "table": TABLE,
            "members": [{"region": "us-east-1"}, abroad("eu-west-1")],
            "tombstones": {"enabled": False},
            "distributed": {"enabled": True, "at": "eu-west-1", "writes": True},
        }
    ),
}


LONG = STACKS.keys() - {"two accounts without tombstones"}
"""Stacks that `make test` leaves out: most of their policies are like those of that one."""


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=[pytest.mark.long] if name in LONG else []) for name in STACKS
    ],
)
def trial(request: pytest.FixtureRequest) -> Trial:
    return tried(STACKS[request.param])


def test_everything_that_a_hop_does_is_allowed(trial: Trial) -> None:
    assert [str(call) for call in trial.calls if not trial.law.permits(call)] == []


def test_everything_that_is_allowed_is_done(trial: Trial) -> None:
    unused = [str(one) for one in trial.law.allowances() if not any(map(one.grants, trial.calls))]

    assert unused == []


def test_with_any_one_action_taken_out_something_is_denied(trial: Trial) -> None:
    permitted = [call for call in trial.calls if trial.law.permits(call)]
    not_missed = [
        str(one)
        for one in trial.law.allowances()
        if all(map(trial.law.without(one).permits, permitted))
    ]

    assert not_missed == []


def test_only_what_cannot_be_limited_is_allowed_on_everything(trial: Trial) -> None:
    unlimited = {
        one.action
        for one in trial.law.allowances()
        if "*" in one.statement.resources and not one.is_trust
    }

    # https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
    logged = {one for one in unlimited if one.startswith("logs:")}
    machines = {call.who for call in trial.calls if call.action == "states:StartExecution"}
    assert unlimited - logged == {"dynamodb:ListStreams"}
    assert {call.who for call in trial.calls if call.action in logged} == (machines)


def test_a_key_with_the_statements_that_are_given_lets_the_roles_use_it(trial: Trial) -> None:
    # A secret's key is another one.
    used = [
        call
        for call in trial.calls
        if call.action.startswith("kms:") and "secretsmanager" not in str(call.context)
    ]
    denied = []
    for call in used:
        arn = Arn.parse(call.resource)
        roles, *_ = key_statements(arn.region, arn.account)
        statement = {name: part for name, part in roles.items() if name != "Principal"}
        law = [read_policy({"Version": "2012-10-17", "Statement": [statement]})]
        denied += [] if permits(law, call) else [str(call)]
        assert Arn.parse(call.who).account == arn.account

    assert denied == []


def test_a_role_is_taken_by_one_function_alone(trial: Trial) -> None:
    for role, trust in trial.law.trusts.items():
        takers = [name for statement in trust for _, name in statement.principals]
        others = [other for other in trial.law.trusts if other not in takers]

        assert len(takers) == 1
        assert not any(permits([trust], Call(other, ASSUME, role)) for other in others)
        assert not permits([trust], Call("states.amazonaws.com", ASSUME, role))
        assert not permits([trust], Call("ec2.amazonaws.com", ASSUME, role))


def test_a_function_and_its_mapping_lie_where_the_stream_is(trial: Trial) -> None:
    for hop in trial.served:
        function, stream, role = map(Arn.parse, (hop.function, hop.stream, hop.role))

        assert (function.region, function.account) == (stream.region, stream.account)
        assert role.account == stream.account


def test_a_linter_has_nothing_to_say_about_any_document(trial: Trial) -> None:
    findings = [
        f"{name}: {finding}"
        for name, document in trial.documents.items()
        for finding in lint(name, document)
    ]

    assert findings == []


def lint(name: str, document: Mapping[str, Any]) -> list[Any]:
    """What parliament finds.

    It knows no trust policies, so their role is put in as the resource; and it takes the colons in
    the time that a stream's ARN ends with for those between an ARN's parts. And it wants
    DescribeExecution to be allowed on executions of both kinds, which is a choice:
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsstepfunctions.html
    """
    statements = [{"Resource": name.split(maxsplit=1)[0], **one} for one in document["Statement"]]
    text = json.dumps({**document, "Statement": statements})
    text = re.sub(r"(/stream/[0-9-]+T\d\d):(\d\d):", r"\1-\2-", text)
    found = parliament.analyze_policy_string(text).findings
    return [one for one in found if "arn:*:states:*:*:express:*:*:*" not in str(one.detail)]


def test_the_linter_finds_what_it_should() -> None:
    wrong = {"Effect": "Allow", "Action": "dynamodb:PutItm", "Resource": "*"}
    unlimited = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}
    found = lint("x", {"Version": "2012-10-17", "Statement": [wrong, unlimited]})

    assert [one.issue for one in found] == ["UNKNOWN_ACTION", "RESOURCE_STAR"]
