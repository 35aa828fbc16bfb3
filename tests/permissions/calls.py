"""What calls of AWS's API ask of IAM: recorded in botocore, given as actions on ARNs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from botocore import handlers
from botocore.awsrequest import AWSResponse, HTTPHeaders

from local.clients import blank_session
from ring.arn import Arn, partition_of, table_arn
from tests.permissions.judge import ASSUME, Call
from tests.support.botocore_json import read_once


class UnknownCallError(Exception):
    """A call of which it is not known here what it asks of IAM."""


@dataclass(frozen=True)
class RecordedCall:
    """One call as botocore makes it. `who` is the ARN of the role or user that it is signed for."""

    who: str
    service: str
    operation: str
    region: str
    params: Mapping[str, Any]


@dataclass
class Ear:
    """Records the calls of every client that is made while it listens."""

    recorded: list[RecordedCall] = field(default_factory=list)
    whose: dict[str, str] = field(default_factory=dict)
    """The ARN of the role or user, by access key."""
    is_open: bool = False

    def keep_params(self, params: Any, context: dict[str, Any], **_: Any) -> None:
        context["recorded"] = params

    def record(self, model: Any, context: dict[str, Any], request_signer: Any, **_: Any) -> None:
        if self.is_open:
            key = request_signer._credentials.get_frozen_credentials().access_key
            service = model.service_model.service_name
            region = request_signer.region_name
            params = context["recorded"]
            self.recorded.append(RecordedCall(self.whose[key], service, model.name, region, params))

    def learn(self, parsed: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
        if "Credentials" in parsed:
            self.whose[parsed["Credentials"]["AccessKeyId"]] = context["recorded"]["RoleArn"]

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Hear what is called while the context lasts."""
        self.is_open = True
        try:
            yield
        finally:
            self.is_open = False

    def calls(self) -> Iterator[Call]:
        """All recorded calls, as IAM sees them. Raises `UnknownCallError`."""
        for made in self.recorded:
            context = owner_of_bucket(made.who) if made.service == "s3" else ()
            yield from (Call(made.who, action, arn, context) for action, arn in _asked(made))


def owner_of_bucket(who: str) -> tuple[tuple[str, str], ...]:
    """What S3 gives IAM for a bucket of the ring's: it is in the account of who asks."""
    return (("s3:ResourceAccount", Arn.parse(who).account),)


@contextmanager
def listening() -> Iterator[Ear]:
    """Listen to the clients of every session that is made while the context lasts."""
    ear = Ear()
    events: list[Any] = [
        ("before-parameter-build", ear.keep_params),
        ("before-call", ear.record),
        ("before-call", _execute_nothing),
        ("after-call.sts.AssumeRole", ear.learn),
    ]
    with (
        patch.object(handlers, "BUILTIN_HANDLERS", [*handlers.BUILTIN_HANDLERS, *events]),
        read_once(),
        _new_blank_session(),
    ):
        yield ear


@contextmanager
def _new_blank_session() -> Iterator[None]:
    """Let the session of a local ring's clients be another one while the context lasts."""
    blank_session.cache_clear()
    try:
        yield
    finally:
        blank_session.cache_clear()


def _execute_nothing(model: Any, context: dict[str, Any], **_: Any) -> Any:
    """Answer statements in moto's place, which cannot read them: each is to be made alone."""
    if model.name != "BatchExecuteStatement":
        return None
    answer = {"Error": {"Code": "ValidationError", "Message": "moto cannot read it"}}
    answers = [answer] * len(context["recorded"]["Statements"])
    body = SimpleNamespace(stream=lambda: [b"{}"])  # looked at, as a page of a proxy is refused
    return AWSResponse("", 200, HTTPHeaders(), body), {"Responses": answers}


Asked = Iterator[tuple[str, str]]


def _asked(made: RecordedCall) -> Asked:
    """The actions, each with an ARN, that a call needs."""
    asked = _CALLS.get((made.service, made.operation))
    if asked is None:
        raise UnknownCallError(f"{made.service} {made.operation}: say in _CALLS what it needs")
    yield from asked(made, Arn.parse(made.who).account)


def _table(made: RecordedCall, account: str, name: str) -> str:
    """A table's ARN: what is given by name is in the account of the caller."""
    if name.startswith("arn:"):
        return name
    return table_arn(partition_of(made.region), made.region, account, name)


def _one_table(made: RecordedCall, account: str) -> Asked:
    yield f"dynamodb:{made.operation}", _table(made, account, made.params["TableName"])


def _many_tables(made: RecordedCall, account: str) -> Asked:
    for name in made.params["RequestItems"]:
        yield f"dynamodb:{made.operation}", _table(made, account, name)


# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
_IN_TRANSACTIONS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "Get": "GetItem",
    "ConditionCheck": "ConditionCheckItem",
}


def _transaction(made: RecordedCall, account: str) -> Asked:
    for item in made.params["TransactItems"]:
        for kind, part in item.items():
            arn = _table(made, account, part["TableName"])
            yield f"dynamodb:{_IN_TRANSACTIONS[kind]}", arn


# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html
_PARTIQL = re.compile(
    r'\s*(SELECT|INSERT|UPDATE|DELETE)\b.*?(?:FROM|INTO|UPDATE)?\s+"([^"]+)"', re.I
)


def _partiql(made: RecordedCall, account: str) -> Asked:
    whole = made.params.get("Statements") or made.params.get("TransactStatements")
    for statement in whole or [made.params]:
        found = _PARTIQL.match(statement["Statement"])
        if found is None:
            raise UnknownCallError(f"PartiQL of an unknown kind: {statement['Statement']}")
        action = f"dynamodb:PartiQL{found[1].capitalize()}"
        yield action, _table(made, account, found[2])


def _object(made: RecordedCall, account: str) -> Asked:
    # An ACL, tags or a key of KMS would need an action more.
    known = {"Bucket", "Key", "Body", "ContentType", "ExpectedBucketOwner", "ChecksumMode"}
    if unknown := made.params.keys() - known:
        raise UnknownCallError(f"{made.operation} with {sorted(unknown)}")
    if made.params.get("ExpectedBucketOwner") != account:
        raise UnknownCallError(f"{made.operation} in whosever bucket that is: {made.params}")
    bucket, key = made.params["Bucket"], made.params["Key"]
    yield f"s3:{made.operation}", f"arn:{partition_of(made.region)}:s3:::{bucket}/{key}"


def _role(made: RecordedCall, _: str) -> Asked:
    yield ASSUME, made.params["RoleArn"]


def _secret(made: RecordedCall, _: str) -> Asked:
    yield "secretsmanager:GetSecretValue", made.params["SecretId"]


_CALLS: Mapping[tuple[str, str], Callable[[RecordedCall, str], Asked]] = {
    **{
        ("dynamodb", one): _one_table
        for one in ("Scan", "GetItem", "PutItem", "UpdateItem", "DeleteItem")
    },
    **{("dynamodb", one): _many_tables for one in ("BatchGetItem", "BatchWriteItem")},
    **{("dynamodb", one): _transaction for one in ("TransactGetItems", "TransactWriteItems")},
    **{
        ("dynamodb", one): _partiql
        for one in ("ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction")
    },
    ("s3", "GetObject"): _object,
    ("s3", "PutObject"): _object,
    ("sts", "AssumeRole"): _role,
    ("secretsmanager", "GetSecretValue"): _secret,
}
