"""The component that is the product: the members of a ring and the hops between them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from typing import Any

import pulumi

from ring.distributed import DISTRIBUTED, Distributed
from ring.held import HeldMember, HeldMembers, held_members
from ring.hop import HOP, Hop
from ring.monitoring.component import WATCH, Watch, dashboards
from ring.replica import REPLICA, Replica
from ring.settings.distributed import runner_member
from ring.settings.members import Member, members_of
from ring.settings.settings import Settings
from ring.topology import Edge as Way
from ring.topology import deployed_hops

RING = "dynamodb-ring:index:Ring"
"""The component's type. It is part of every URN beneath it and never changes."""


class Ring(pulumi.ComponentResource):
    """DynamoDB tables kept equal by a circle of hops.

    Where the settings restrict the hops, the tables at which these start are created, those at
    which they end are named only, and members at neither end are left alone.

    Of a member that is held (`ring.held`) nothing is declared, nor of its hops: it is told of as it
    was when it was deployed last.

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
        ways, members = deployed_hops(settings), members_of(settings)
        sources = {way.source for way in ways}
        held = held_members(name, members)
        for member in members:
            if member.name in held:
                HeldMembers(f"{name}-{member.resource_name}", held[member.name], beneath)
        replicas = {
            member: Replica(
                f"{name}-{member.resource_name}",
                member,
                settings,
                named_only=member not in sources,
                opts=beneath,
            )
            for member in members
            if member in sources | {way.target for way in ways} and member.name not in held
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
            if way.source in replicas
        ]
        _keep_writers(ways, replicas)
        watches = [
            Watch(
                f"{name}-{member.resource_name}",
                replica,
                [hop for hop in carriers if hop.source is replica],
                settings,
                opts=beneath,
            )
            for member, replica in replicas.items()
            if settings.watch.enabled and member in sources
        ]
        self.distributed = self._distributed(f"{name}-segments", replicas, sources, held, settings)
        shown = dashboards(name, watches, settings, beneath)
        topics = {watch.replica.member.name: watch.topic.arn for watch in watches if watch.topic}
        topics |= {
            kept.member: told["topic"]
            for kept in held.values()
            for told in kept.told_by(WATCH)
            if told.get("topic")
        }
        self.topics = topics
        self.dashboards = [one.dashboard_name for one in shown]
        told_before = chain.from_iterable(kept.told_by(REPLICA) for kept in held.values())
        summaries = [replica.summary for replica in replicas.values()]
        self.members = _in_order(members, [*summaries, *told_before], "name")
        told_before = chain.from_iterable(kept.told_by(HOP) for kept in held.values())
        self.hops = _in_order(members, [*(hop.summary for hop in carriers), *told_before], "source")
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
        held: Mapping[str, HeldMember],
        settings: Settings,
    ) -> Mapping[str, Any] | None:
        if not settings.distributed.enabled:
            return None
        here = runner_member(
            settings.distributed, [one for one in members_of(settings) if one in sources]
        )
        if here.name in held:
            return next(iter(held[here.name].told_by(DISTRIBUTED)), None)
        beneath = pulumi.ResourceOptions(parent=self)
        return Distributed(name, replicas[here], list(replicas.values()), settings, beneath).summary


def _keep_writers(ways: Collection[Way], replicas: Mapping[Member, Replica]) -> None:
    """Declare the users that hops of held members write as: these hops go on by themselves."""
    for way in ways:
        beyond = way.source.partition != way.target.partition
        if beyond and way.source not in replicas and way.target in replicas:
            _ = replicas[way.target].writer


def _in_order(
    members: Sequence[Member], told: Sequence[Mapping[str, Any]], key: str
) -> list[Mapping[str, Any]]:
    """What is told of members or hops, in ring order."""
    place = {member.name: at for at, member in enumerate(members)}
    return sorted(told, key=lambda one: place.get(one[key], len(place)))
