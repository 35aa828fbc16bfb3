"""Delete what a killed engine has made and not recorded, so that Pulumi cannot destroy it.

Only resources with the trial's own name in theirs, or that its state had.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from operate.aws.clients import ClientPool
from operate.trial.leftovers import Leftover
from operate.trial.listing import Service


def remove_all(leftovers: Iterable[Leftover], clients: ClientPool) -> list[str]:
    """Delete resources; return the labels of those that were. Others are still found afterwards."""
    removed = []
    for one in leftovers:
        remove = _REMOVERS.get(one.found.kind)
        if not one.is_ours or remove is None:
            continue

        def service(name: str, one: Leftover = one) -> Any:
            return clients.get(one.credentials, one.region, name)

        with suppress(ClientError, BotoCoreError):
            remove(service, one.found.names)
            removed.append(one.found.label)
    return removed


_Names = tuple[str, ...]


def _role(of: Service, names: _Names) -> None:
    iam = of("iam")
    for policy in iam.list_role_policies(RoleName=names[0])["PolicyNames"]:
        iam.delete_role_policy(RoleName=names[0], PolicyName=policy)
    iam.delete_role(RoleName=names[0])


def _rule(of: Service, names: _Names) -> None:
    events = of("events")
    targets = [one["Id"] for one in events.list_targets_by_rule(Rule=names[0])["Targets"]]
    if targets:
        events.remove_targets(Rule=names[0], Ids=targets)
    events.delete_rule(Name=names[0])


def _bucket(of: Service, names: _Names) -> None:
    """Delete a bucket that is empty: one with records in it needs somebody who looks at them."""
    of("s3").delete_bucket(Bucket=names[0])


_REMOVERS: Mapping[str, Callable[[Service, _Names], object]] = {
    "alarm": lambda of, names: of("cloudwatch").delete_alarms(AlarmNames=[names[0]]),
    "bucket": _bucket,
    "dashboard": lambda of, names: of("cloudwatch").delete_dashboards(DashboardNames=[names[0]]),
    "function": lambda of, names: of("lambda").delete_function(FunctionName=names[0]),
    "log group": lambda of, names: of("logs").delete_log_group(logGroupName=names[0]),
    "mapping": lambda of, names: of("lambda").delete_event_source_mapping(UUID=names[0]),
    "queue": lambda of, names: of("sqs").delete_queue(QueueUrl=names[0]),
    "role": _role,
    "rule": _rule,
    "state machine": lambda of, names: of("stepfunctions").delete_state_machine(
        stateMachineArn=names[1]
    ),
    "table": lambda of, names: of("dynamodb").delete_table(TableName=names[0]),
    "topic": lambda of, names: of("sns").delete_topic(TopicArn=names[0]),
}
