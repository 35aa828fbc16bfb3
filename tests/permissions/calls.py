"""What calls of AWS's API ask of IAM: heard in botocore, told as actions on ARNs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from botocore import handlers
from botocore.awsrequest import AWSResponse, HTTPHeaders

from ring.arn import Arn, partition_of, table_arn
from tests.permissions.judge import ASSUME, Call
from tests.support.botocore_json import read_once


class UnknownCallError(Exception):
    """A call of which it is not known here what it asks of IAM."""


@dataclass(frozen=True)
class Heard:
    """One call as botocore makes it. `who` is the ARN of the role or user that it is signed for."""

    who: str
    service: str
    operation: str
    region: str
    params: Mapping[str, Any]


@dataclass
class Ear:
    """Hears the calls of every client that is made while it listens; `whose` tells keys apart."""

    heard: list[Heard] = field(default_factory=list)
    whose: dict[str, str] = field(default_factory=dict)
    """The ARN of the role or user, by access key."""
    is_open: bool = False

    def keep_params(self, params: Any, context: dict[str, Any], **_: Any) -> None:
        context["heard"] = params

    def hear(self, model: Any, context: dict[str, Any], request_signer: Any, **_: Any) -> None:
        if self.is_open:
            key = request_signer._credentials.get_frozen_credentials().access_key
            service = model.service_model.service_name
            region = request_signer.region_name
            params = context["heard"]
            self.heard.append(Heard(self.whose[key], service, model.name, region, params))

    def learn(self, parsed: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
        if "Credentials" in parsed:
            self.whose[parsed["Credentials"]["AccessKeyId"]] = context["heard"]["RoleArn"]

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Hear what is called while the context lasts."""
        self.is_open = True
        try:
            yield
        finally:
            self.is_open = False

    def calls(self) -> Iterator[Call]:
        """Everything that was heard, as IAM sees it. Raises `UnknownCallError`."""
        for heard in self.heard:
            context = owner_of_bucket(heard.who) if heard.service == "s3" else ()
            yield from (Call(heard.who, action, arn, context) for action, arn in _asked(heard))


def owner_of_bucket(who: str) -> tuple[tuple[str, str], ...]:
    """What S3 tells IAM of a bucket of the ring's: it is in the account of who asks."""
    return (("s3:ResourceAccount", Arn.parse(who).account),)


@contextmanager
def listening() -> Iterator[Ear]:
    """Listen to the clients of every session that is made while the context lasts."""
    ear = Ear()
    events: list[Any] = [
        ("before-parameter-build", ear.keep_params),
        ("before-call", ear.hear),
        ("before-call", _execute_nothing),
        ("after-call.sts.AssumeRole", ear.learn),
    ]
    with (
        patch.object(handlers, "BUILTIN_HANDLERS", [*handlers.BUILTIN_HANDLERS, *events]),
        read_once(),
    ):
        yield ear


def _execute_nothing(model: Any, context: dict[str, Any], **_: Any) -> Any:
    """Answer statements in moto's place, which cannot read them: each is to be made alone."""
    if model.name != "BatchExecuteStatement":
        return None
    answer = {"Error": {"Code": "ValidationError", "Message": "moto cannot read it"}}
    answers = [answer] * len(context["heard"]["Statements"])
    return AWSResponse("", 200, HTTPHeaders(), None), {"Responses": answers}


Asked = Iterator[tuple[str, str]]


def _asked(heard: Heard) -> Asked:
    """The actions, each with an ARN, that a call needs."""
    asked = _CALLS.get((heard.service, heard.operation))
    if asked is None:
        raise UnknownCallError(f"{heard.service} {heard.operation}: say in _CALLS what it needs")
    yield from asked(heard, Arn.parse(heard.who).account)


def _table(heard: Heard, account: str, name: str) -> str:
    """A table's ARN: what is given by name is in the account of the caller."""
    if name.startswith("arn:"):
        return name
    return table_arn(partition_of(heard.region), heard.region, account, name)


def _one_table(heard: Heard, account: str) -> Asked:
    yield f"dynamodb:{heard.operation}", _table(heard, account, heard.params["TableName"])


def _many_tables(heard: Heard, account: str) -> Asked:
    for name in heard.params["RequestItems"]:
        yield f"dynamodb:{heard.operation}", _table(heard, account, name)


# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
_IN_TRANSACTIONS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "Get": "GetItem",
    "ConditionCheck": "ConditionCheckItem",
}


def _transaction(heard: Heard, account: str) -> Asked:
    for item in heard.params["TransactItems"]:
        for kind, part in item.items():
            arn = _table(heard, account, part["TableName"])
            yield f"dynamodb:{_IN_TRANSACTIONS[kind]}", arn


# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html
_PARTIQL = re.compile(
    r'\s*(SELECT|INSERT|UPDATE|DELETE)\b.*?(?:FROM|INTO|UPDATE)?\s+"([^"]+)"', re.I
)


def _partiql(heard: Heard, account: str) -> Asked:
    whole = heard.params.get("Statements") or heard.params.get("TransactStatements")
    for statement in whole or [heard.params]:
        found = _PARTIQL.match(statement["Statement"])
        if found is None:
            raise UnknownCallError(f"PartiQL of an unknown kind: {statement['Statement']}")
        action = f"dynamodb:PartiQL{found[1].capitalize()}"
        yield action, _table(heard, account, found[2])


def _object(heard: Heard, account: str) -> Asked:
    # An ACL, tags or a key of KMS would need an action more.
    known = {"Bucket", "Key", "Body", "ContentType", "ExpectedBucketOwner", "ChecksumMode"}
    if unknown := heard.params.keys() - known:
        raise UnknownCallError(f"{heard.operation} with {sorted(unknown)}")
    if heard.params.get("ExpectedBucketOwner") != account:
        raise UnknownCallError(f"{heard.operation} in whosever bucket that is: {heard.params}")
    bucket, key = heard.params["Bucket"], heard.params["Key"]
    yield f"s3:{heard.operation}", f"arn:{partition_of(heard.region)}:s3:::{bucket}/{key}"


def _role(heard: Heard, _: str) -> Asked:
    yield ASSUME, heard.params["RoleArn"]


def _secret(heard: Heard, _: str) -> Asked:
    yield "secretsmanager:GetSecretValue", heard.params["SecretId"]


_CALLS: Mapping[tuple[str, str], Callable[[Heard, str], Asked]] = {
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
