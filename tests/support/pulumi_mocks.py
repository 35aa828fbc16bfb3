"""Pulumi mocks: a cloud with immediate outputs, and a monitor that records declarations."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pulumi
from pulumi.runtime import mocks, rpc

from ring.held import READS_STATE
from ring.ring import Ring
from ring.settings.settings import Settings

ACCOUNT = "123456789012"
ORDERS: dict[str, object] = {
    "name": "orders",
    "partition_key": {"name": "customer", "type": "S"},
    "sort_key": {"name": "order", "type": "S"},
}
TWO: list[object] = [{"region": "us-east-1"}, {"region": "eu-west-1"}]

OUT, BACK = "ring-us-east-1-to-eu-west-1", "ring-eu-west-1-to-us-east-1"
"""The names of the hops of TWO, and of their resources."""

STREAM = "arn:aws:dynamodb:eu-west-1:123456789012:table/legacy/stream/2023-01-01T00:00:00.000"
LEGACY: dict[str, Any] = {
    "name": "legacy",
    "streamArn": STREAM,
    "streamEnabled": True,
    "streamViewType": "NEW_AND_OLD_IMAGES",
    "hashKey": "customer",
    "rangeKey": "order",
    "attributes": [{"name": "customer", "type": "S"}, {"name": "order", "type": "S"}],
}
ROLE = "arn:aws:iam::210987654321:role/deploys"
KEY = "arn:aws:kms:us-east-1:123456789012:key/1f0f2d4e"
ADOPTED: list[object] = [TWO[0], {"region": "eu-west-1", "stream_arn": STREAM}]
ABROAD: list[object] = [
    TWO[0],
    {"region": "eu-west-1", "account": "210987654321", "role": ROLE, "external_id": "ring-1"},
]
CHINA: list[object] = [
    {
        "region": "us-east-1",
        "writer_secret": {
            "arn": "arn:aws-cn:secretsmanager:cn-north-1:210987654321:secret:ring-to-us-a1B2c3"
        },
    },
    {
        "region": "cn-north-1",
        "writer_secret": {
            "arn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:ring-to-cn-d4E5f6"
        },
    },
]


def config(**sections: object) -> dict[str, object]:
    """Minimal settings, with additional sections."""
    return {"table": ORDERS, "members": TWO} | sections


@dataclass(frozen=True)
class Declared:
    """One resource as the program declared it."""

    type: str
    name: str
    parent: str
    provider: str
    inputs: Mapping[str, Any]
    kept: bool
    """True for `retain_on_delete`."""
    made_first: bool
    """True for an explicit `delete_before_replace=False`."""
    depends_on: tuple[str, ...]
    protected: bool

    def document(self, key: str) -> Any:
        """An input that is JSON."""
        return json.loads(self.inputs[key])


class Cloud(mocks.Mocks):
    """Gives resources the outputs of AWS, or none in a preview."""

    def __init__(self, *, preview: bool, partition: str = "aws") -> None:
        self.state: Mapping[str, Any] = {}
        """The stack's resources before, by URN, as the engine returns them."""
        self.preview = preview
        self.partition = partition
        self.regions: dict[str, str] = {}
        self.adopted = LEGACY
        """The table that members adopt, as the AWS provider describes it."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        inputs = dict(args.inputs)
        if self.preview:
            return None, inputs
        if args.typ == "pulumi:providers:aws":
            self.regions[args.name] = inputs["region"]
            return args.name, inputs
        # A provider's id is its name in these mocks, and leads to the region.
        region = self.regions.get((args.provider or "").rpartition("::")[2], "")
        physical = inputs.get("name") or inputs.get("bucketPrefix", f"{args.name}-") + "a1b2c3"
        made = {"name": physical, "arn": self._arn(args.typ, region, physical)}
        if args.typ == "aws:dynamodb/table:Table":
            made["streamArn"] = made["arn"] + "/stream/2024-05-01T09:30:00.000"
        if args.typ == "aws:s3/bucket:Bucket":
            made["bucket"] = physical
        return physical, inputs | made

    def call(self, args: mocks.MockCallArgs) -> dict[str, Any]:  # type: ignore[override]
        answers: dict[str, dict[str, Any]] = {
            "aws:index/getPartition:getPartition": {"partition": self.partition},
            "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT},
            "aws:dynamodb/getTable:getTable": self.adopted,
            READS_STATE: {"outputs": self.state},
        }
        return answers[args.token]

    def _arn(self, kind: str, region: str, name: str) -> str:
        place = f"arn:{self.partition}:%s:{region}:{ACCOUNT}:"
        return {
            "aws:dynamodb/table:Table": place % "dynamodb" + f"table/{name}",
            "aws:lambda/function:Function": place % "lambda" + f"function:{name}",
            "aws:cloudwatch/eventRule:EventRule": place % "events" + f"rule/{name}",
            "aws:cloudwatch/logGroup:LogGroup": place % "logs" + f"log-group:{name}",
            "aws:iam/role:Role": f"arn:{self.partition}:iam::{ACCOUNT}:role/{name}",
            "aws:iam/user:User": f"arn:{self.partition}:iam::{ACCOUNT}:user/{name}",
            "aws:sns/topic:Topic": place % "sns" + name,
            "aws:cloudwatch/metricAlarm:MetricAlarm": place % "cloudwatch" + f"alarm:{name}",
            "aws:sfn/stateMachine:StateMachine": place % "states" + f"stateMachine:{name}",
            "aws:s3/bucket:Bucket": f"arn:{self.partition}:s3:::{name}",
        }.get(kind, "")


class Watching(mocks.MockMonitor):
    """Records every declared resource, with details that mocks do not receive."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.declared: list[Declared] = []
        self.asked: list[tuple[str, str]] = []
        self.outputs: dict[str, Any] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        if request.type == "pulumi:pulumi:Stack":  # of a process, not of a program
            return super().RegisterResource(request)  # type: ignore[no-untyped-call]
        self.declared.append(
            Declared(
                type=request.type,
                name=request.name,
                parent=_name(request.parent),
                provider=_name(request.provider.rpartition("::")[0]),
                inputs=rpc.deserialize_properties(request.object),
                kept=request.retainOnDelete,
                made_first=request.deleteBeforeReplaceDefined and not request.deleteBeforeReplace,
                depends_on=tuple(sorted(request.dependencies)),
                protected=request.protect,
            )
        )
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]

    def Invoke(self, request: Any) -> Any:  # noqa: N802
        if request.tok != READS_STATE:  # which is asked of the engine, not of a provider
            self.asked.append((request.tok, _name(request.provider.rpartition("::")[0])))
        return super().Invoke(request)  # type: ignore[no-untyped-call]

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        self.outputs[_name(request.urn)] = rpc.deserialize_properties(request.outputs)
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]

    def all(self, kind: str) -> list[Declared]:
        """All resources of a type, such as `Table` or `Role`, by name: order means nothing."""
        found = [one for one in self.declared if one.type.rpartition(":")[2] == kind]
        return sorted(found, key=lambda one: one.name)

    def one(self, kind: str, name: str) -> Declared:
        """The one resource of this type and name."""
        (found,) = [one for one in self.all(kind) if one.name == name]
        return found


def watch(
    program: Callable[[], object],
    *,
    preview: bool = False,
    partition: str = "aws",
    state: Mapping[str, Any] | None = None,
    adopted: dict[str, Any] | None = None,
) -> Watching:
    """Run a Pulumi program and return what it declared.

    `state` has the stack's resources before, by URN, as the engine returns them; `adopted` is the
    table that members adopt.
    """
    cloud = Cloud(preview=preview, partition=partition)
    cloud.adopted = adopted or LEGACY
    cloud.state = state or {}
    monitor = Watching(cloud)
    pulumi.runtime.set_mocks(
        monitor.mocks, project="dynamodb-ring", stack="test", preview=preview, monitor=monitor
    )
    pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]
    return monitor


def deployed(*, preview: bool = False, partition: str = "aws", **sections: object) -> Watching:
    """Return what a ring with these sections of settings declares; all tests share it."""
    return _deployed(json.dumps(config(**sections)), preview=preview, partition=partition)


@cache
def _deployed(settings: str, *, preview: bool, partition: str) -> Watching:
    return deploy(json.loads(settings), preview=preview, partition=partition)


def deploy(
    settings: Mapping[str, object],
    *,
    preview: bool = False,
    partition: str = "aws",
    adopted: dict[str, Any] | None = None,
) -> Watching:
    """Declare a ring of these settings."""
    parsed = Settings.parse(settings)
    return watch(
        lambda: Ring("ring", parsed), preview=preview, partition=partition, adopted=adopted
    )


def actions_on(document: dict[str, Any], resource: str) -> set[str]:
    """Return the actions that a policy allows on exactly this resource."""
    return {
        action
        for statement in document["Statement"]
        if statement["Resource"] == resource
        for action in statement["Action"]
    }


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]
