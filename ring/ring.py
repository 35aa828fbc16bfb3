"""Top-level component: the members of a ring and the hops between them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import pulumi

from ring.component_types import DISTRIBUTED, HOP, REPLICA, RING, WATCH
from ring.distributed import Distributed
from ring.held import HeldMember, HeldMembers, held_members
from ring.hop import Hop
from ring.monitoring.member_alarms import MemberAlarms, dashboards
from ring.replica import Replica
from ring.settings.distributed import runner_member
from ring.settings.members import Member, members_of
from ring.settings.settings import Settings
from ring.topology import Edge, deployed_hops


class Ring(pulumi.ComponentResource):
    """DynamoDB tables kept in sync by a ring of hops.

    If `hops` restricts the hops, the tables of their sources are created, those of their targets
    are only referred to, and other members are ignored.

    For a held member (`ring.held`) and its hops nothing is declared: their outputs are those of the
    last deployment.

    `name` is the prefix of the names of functions and roles: up to 15 characters always fit.
    """

    members: Sequence[Mapping[str, Any]]
    """In ring order: name, region, table, table_arn, stream_arn, tombstones (a table's name)."""
    hops: Sequence[Mapping[str, Any]]
    """In ring order: source, target (members' names), function (ARN), mapping (UUID), quarantine
    (a bucket's name)."""
    topics: Mapping[str, pulumi.Output[str]]
    """By member, the ARN of the topic that its alarms notify, if it is one of the ring's own."""
    dashboards: Sequence[pulumi.Output[str]]
    """The names of the dashboards, one for each account in which hops start."""
    distributed: Mapping[str, Any] | None
    """Distributed check and backfill: see `Distributed.summary`."""

    def __init__(
        self, name: str, settings: Settings, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(RING, name, {}, opts)
        child_opts = pulumi.ResourceOptions(parent=self)
        edges, members = deployed_hops(settings), members_of(settings)
        held = held_members(name, members)
        for member in members:
            if member.name in held:
                HeldMembers(f"{name}-{member.resource_name}", held[member.name], child_opts)
        replicas = self._replicas(name, settings, edges, held)
        hops = self._hops(name, settings, edges, replicas)
        _keep_writers(edges, replicas)
        monitors = self._monitors(name, settings, hops, replicas)
        sources = {edge.source for edge in edges}
        self.distributed = self._distributed(f"{name}-segments", replicas, sources, held, settings)
        declared = dashboards(name, monitors, settings, child_opts)
        self.dashboards = [dashboard.dashboard_name for dashboard in declared]
        self.topics = _topics(monitors, held)
        summaries = [*(replica.summary for replica in replicas.values()), *_held(REPLICA, held)]
        self.members = _in_order(members, summaries, "name")
        summaries = [*(hop.summary for hop in hops), *_held(HOP, held)]
        self.hops = _in_order(members, summaries, "source")
        self.register_outputs(
            {
                "members": self.members,
                "hops": self.hops,
                "topics": self.topics,
                "dashboards": self.dashboards,
                "distributed": self.distributed,
            }
        )

    def _replicas(
        self, name: str, settings: Settings, edges: Sequence[Edge], held: Mapping[str, HeldMember]
    ) -> dict[Member, Replica]:
        """Declare the members at either end of a hop, without those that are held."""
        sources, targets = {edge.source for edge in edges}, {edge.target for edge in edges}
        return {
            member: Replica(
                f"{name}-{member.resource_name}",
                member,
                settings,
                named_only=member not in sources,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for member in members_of(settings)
            if member in sources | targets and member.name not in held
        }

    def _hops(
        self,
        name: str,
        settings: Settings,
        edges: Sequence[Edge],
        replicas: Mapping[Member, Replica],
    ) -> list[Hop]:
        return [
            Hop(
                f"{name}-{edge.slug}",
                replicas[edge.source],
                replicas[edge.target],
                settings,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for edge in edges
            if edge.source in replicas
        ]

    def _monitors(
        self,
        name: str,
        settings: Settings,
        hops: Sequence[Hop],
        replicas: Mapping[Member, Replica],
    ) -> list[MemberAlarms]:
        if not settings.monitoring.enabled:
            return []
        by_source = {
            replica: [hop for hop in hops if hop.source is replica] for replica in replicas.values()
        }
        return [
            MemberAlarms(
                f"{name}-{replica.member.resource_name}",
                replica,
                own_hops,
                settings,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for replica, own_hops in by_source.items()
            if own_hops
        ]

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
        runner = runner_member(
            settings.distributed, [found for found in members_of(settings) if found in sources]
        )
        if runner.name in held:
            return next(iter(held[runner.name].component_outputs(DISTRIBUTED)), None)
        child_opts = pulumi.ResourceOptions(parent=self)
        all_replicas = list(replicas.values())
        return Distributed(name, replicas[runner], all_replicas, settings, child_opts).summary


def _keep_writers(edges: Collection[Edge], replicas: Mapping[Member, Replica]) -> None:
    """Declare the users that the hops of held members write as: these hops keep running."""
    for edge in edges:
        crosses = edge.source.partition != edge.target.partition
        if crosses and edge.source not in replicas and edge.target in replicas:
            _ = replicas[edge.target].writer


def _held(type_token: str, held: Mapping[str, HeldMember]) -> Iterator[Mapping[str, Any]]:
    """Return the outputs of the held members' components of a type."""
    return chain.from_iterable(found.component_outputs(type_token) for found in held.values())


def _topics(
    monitors: Sequence[MemberAlarms], held: Mapping[str, HeldMember]
) -> dict[str, pulumi.Output[str]]:
    """Return the ARNs of the ring's own topics, by member."""
    topics = {
        monitor.replica.member.name: monitor.topic.arn for monitor in monitors if monitor.topic
    }
    return topics | {
        member: outputs["topic"]
        for member, found in held.items()
        for outputs in found.component_outputs(WATCH)
        if outputs.get("topic")
    }


def _in_order(
    members: Sequence[Member], summaries: Iterable[Mapping[str, Any]], key: str
) -> list[Mapping[str, Any]]:
    """Sort summaries of members or hops in ring order."""
    order = {member.name: index for index, member in enumerate(members)}
    return sorted(summaries, key=lambda summary: order.get(summary[key], len(order)))
