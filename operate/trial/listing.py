"""List what an account has in a region, by kind. Names and ARNs alone; nothing is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from operate.aws.clients import ClientPool
from operate.deployed import Credentials


@dataclass(frozen=True)
class Found:
    """A resource: its kind, its region, and each text that identifies it."""

    kind: str
    region: str
    names: tuple[str, ...]

    @property
    def label(self) -> str:
        """The resource for people."""
        return f"{self.kind} {self.names[0]} ({self.region})"


Service = Callable[[str], Any]
"""Returns the client of a service."""
_Names = Iterator[tuple[str, ...]]


def _pages(client: Any, operation: str, key: str, **arguments: Any) -> Iterator[Any]:
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page.get(key) or ()


def _tables(of: Service) -> _Names:
    for name in _pages(of("dynamodb"), "list_tables", "TableNames"):
        yield (name, f"table/{name}")


def _functions(of: Service) -> _Names:
    for one in _pages(of("lambda"), "list_functions", "Functions"):
        yield (one["FunctionName"], one["FunctionArn"])


def _mappings(of: Service) -> _Names:
    for one in _pages(of("lambda"), "list_event_source_mappings", "EventSourceMappings"):
        yield (one["UUID"], one.get("FunctionArn", ""), one.get("EventSourceArn", ""))


def _log_groups(of: Service) -> _Names:
    for one in _pages(of("logs"), "describe_log_groups", "logGroups"):
        yield (one["logGroupName"],)


def _alarms(of: Service) -> _Names:
    for one in _pages(of("cloudwatch"), "describe_alarms", "MetricAlarms"):
        yield (one["AlarmName"],)


def _dashboards(of: Service) -> _Names:
    for one in _pages(of("cloudwatch"), "list_dashboards", "DashboardEntries"):
        yield (one["DashboardName"],)


def _topics(of: Service) -> _Names:
    for one in _pages(of("sns"), "list_topics", "Topics"):
        yield (one["TopicArn"],)


def _queues(of: Service) -> _Names:
    for url in _pages(of("sqs"), "list_queues", "QueueUrls", QueueNamePrefix="ring-"):
        yield (url,)


def _state_machines(of: Service) -> _Names:
    for one in _pages(of("stepfunctions"), "list_state_machines", "stateMachines"):
        yield (one["name"], one["stateMachineArn"])


def _rules(of: Service) -> _Names:
    for one in _pages(of("events"), "list_rules", "Rules", NamePrefix="ring-"):
        yield (one["Name"],)


def _roles(of: Service) -> _Names:
    for one in _pages(of("iam"), "list_roles", "Roles"):
        yield (one["RoleName"], one["Arn"])


def _policies(of: Service) -> _Names:
    for one in _pages(of("iam"), "list_policies", "Policies", Scope="Local"):
        yield (one["PolicyName"], one["Arn"])


def _users(of: Service) -> _Names:
    for one in _pages(of("iam"), "list_users", "Users"):
        yield (one["UserName"], one["Arn"])


def _buckets(of: Service) -> _Names:
    for one in of("s3").list_buckets()["Buckets"]:
        yield (one["Name"],)


IN_A_REGION: Mapping[str, Callable[[Service], _Names]] = {
    "table": _tables,
    "function": _functions,
    "mapping": _mappings,
    "log group": _log_groups,
    "alarm": _alarms,
    "topic": _topics,
    "queue": _queues,
    "state machine": _state_machines,
    "rule": _rules,
}
IN_AN_ACCOUNT: Mapping[str, Callable[[Service], _Names]] = {
    "role": _roles,
    "policy": _policies,
    "user": _users,
    "bucket": _buckets,
    "dashboard": _dashboards,
}
"""Listed once for each credentials, whatever the region."""


def listed(
    clients: ClientPool, credentials: Credentials, region: str, kind: str
) -> Iterator[Found]:
    """Yield all resources of a kind. Raises botocore's errors."""
    lister = IN_A_REGION.get(kind) or IN_AN_ACCOUNT[kind]
    place = region if kind in IN_A_REGION else "the account"
    for names in lister(lambda service: clients.get(credentials, region, service)):
        yield Found(kind, place, names)


def tagged(
    clients: ClientPool, credentials: Credentials, region: str, tag: tuple[str, str]
) -> Iterator[str]:
    """Yield the ARNs of what has a tag, also of what was deleted lately.

    https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
    """
    client = clients.get(credentials, region, "resourcegroupstaggingapi")
    filters = [{"Key": tag[0], "Values": [tag[1]]}]
    for one in _pages(client, "get_resources", "ResourceTagMappingList", TagFilters=filters):
        yield one["ResourceARN"]
