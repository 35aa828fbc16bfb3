"""The component that is the product: the members of a ring and the hops between them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pulumi

from ring.distributed import Distributed
from ring.distributed_settings import home
from ring.hop import Hop
from ring.replica import Replica
from ring.settings import Settings
from ring.topology import Member, hops, members_of
from ring.watch import Watch, dashboards

RING = "dynamodb-ring:index:Ring"
"""The component's type. It is part of every URN beneath it and never changes."""


class Ring(pulumi.ComponentResource):
    """DynamoDB tables kept equal by a circle of hops.

    Where the settings restrict the hops, the tables at which these start are created, those at
    which they end are named only, and members at neither end are left alone.

    `name` comes before the names of functions and roles: 15 characters always fit.
    """

    members: Sequence[Mapping[str, Any]]
    """In ring order: name, region, table, table_arn, stream_arn, tombstones (a table's name)."""
    hops: Sequence[Mapping[str, Any]]
    """In ring order: source, target (members' names), function (ARN), mapping (UUID), quarantine
    (a bucket's name)."""
    topics: Mapping[str, pulumi.Output[str]]
    """By member, the ARN of the topic that its alarms call, where that is the ring's own."""
    dashboards: Sequence[pulumi.Output[str]]
    """The names of the dashboards, one for each account in which hops start."""
    distributed: Mapping[str, Any] | None
    """What checks and fills whole tables in functions: see `Distributed.summary`."""

    def __init__(
        self, name: str, settings: Settings, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(RING, name, {}, opts)
        beneath = pulumi.ResourceOptions(parent=self)
        ways = hops(settings)
        sources = {way.source for way in ways}
        replicas = {
            member: Replica(
                f"{name}-{member.slug}",
                member,
                settings,
                named_only=member not in sources,
                opts=beneath,
            )
            for member in members_of(settings)
            if member in sources | {way.target for way in ways}
        }
        carriers = [
            Hop(
                f"{name}-{way.slug}",
                replicas[way.source],
                replicas[way.target],
                settings,
                opts=beneath,
            )
            for way in ways
        ]
        watches = [
            Watch(
                f"{name}-{member.slug}",
                replica,
                [hop for hop in carriers if hop.source is replica],
                settings,
                opts=beneath,
            )
            for member, replica in replicas.items()
            if settings.watch.enabled and member in sources
        ]
        self.distributed = self._distributed(f"{name}-segments", replicas, sources, settings)
        shown = dashboards(name, watches, settings, beneath)
        self.topics = {
            watch.replica.member.name: watch.topic.arn for watch in watches if watch.topic
        }
        self.dashboards = [one.dashboard_name for one in shown]
        self.members = [replica.summary for replica in replicas.values()]
        self.hops = [hop.summary for hop in carriers]
        self.register_outputs(
            {
                "members": self.members,
                "hops": self.hops,
                "topics": self.topics,
                "dashboards": self.dashboards,
                "distributed": self.distributed,
            }
        )

    def _distributed(
        self,
        name: str,
        replicas: Mapping[Member, Replica],
        sources: Collection[Member],
        settings: Settings,
    ) -> Mapping[str, Any] | None:
        if not settings.distributed.enabled:
            return None
        here = home(settings.distributed, [one for one in replicas if one in sources])
        beneath = pulumi.ResourceOptions(parent=self)
        return Distributed(name, replicas[here], list(replicas.values()), settings, beneath).summary
