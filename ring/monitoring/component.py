"""What watches the hops: the component of a member's alarms, and the dashboards."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from ring.hop import Hop
from ring.hop_metrics import Metric
from ring.monitoring.alarms import Alarm, alarm_of_quarantine, alarms_of_hop
from ring.monitoring.dashboard import Row, dashboard_body
from ring.replica import Replica
from ring.settings.settings import Settings
from ring.topology import all_hops

WATCH = "dynamodb-ring:index:Watch"
"""The component's type. It is part of every URN beneath it and never changes."""


class Watch(pulumi.ComponentResource):
    """Alarms on the hops that start at a member, in its region and account, as their metrics are.

    They call the user's topics in that region, or else a topic that is made here.
    """

    topic: aws.sns.Topic | None
    """The topic made here; None where the user's own are called."""
    alarms: Mapping[str, Sequence[aws.cloudwatch.MetricAlarm]]
    """Each hop's, by the hop's name; that of the quarantine is among each one's."""

    def __init__(
        self,
        name: str,
        replica: Replica,
        hops: Sequence[Hop],
        settings: Settings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(WATCH, name, {}, opts)
        self.replica = replica
        self.hops = hops
        self._here = pulumi.ResourceOptions(parent=self, provider=replica.provider)
        self.topic = None if settings.watch.topics else self._topic(name, settings.watch.email)
        self._actions: list[pulumi.Input[str]] = [*settings.watch.topics_in(replica.member.region)]
        if self.topic:
            self._actions = [self.topic.arn]
        assert replica.quarantine  # a hop's source is never named only
        kept = self._alarm(
            name, replica.member.name, alarm_of_quarantine(replica.quarantine.bucket)
        )
        late = settings.watch.max_lag_seconds(settings.mapping)
        self.alarms = {
            hop.name: [
                *(
                    self._alarm(hop.name, hop.measured.label, alarm)
                    for alarm in alarms_of_hop(hop.measured, late)
                ),
                kept,
            ]
            for hop in hops
        }
        self.register_outputs({"topic": self.topic and self.topic.arn})

    def _topic(self, name: str, email: str | None) -> aws.sns.Topic:
        # With a key, CloudWatch has to be allowed to use it: docs/keys.md. Without one, a topic
        # holds nothing but the words of alarms, which SNS does not keep once they are delivered.
        key = self.replica.member.kms_key
        topic = aws.sns.Topic(name, kms_master_key_id=key, opts=self._here)
        if email:
            aws.sns.TopicSubscription(
                name, topic=topic.arn, protocol="email", endpoint=email, opts=self._here
            )
        return topic

    def _alarm(self, name: str, of: str, alarm: Alarm) -> aws.cloudwatch.MetricAlarm:
        return aws.cloudwatch.MetricAlarm(
            f"{name}-{alarm.slug}",
            alarm_description=alarm.description(of),
            alarm_actions=self._actions,
            comparison_operator="GreaterThanThreshold",
            threshold=alarm.threshold,
            evaluation_periods=alarm.evaluation_periods,
            datapoints_to_alarm=alarm.datapoints_to_alarm,
            treat_missing_data=alarm.missing,
            opts=self._here,
            **(_one_value(alarm) if alarm.expression else _one_metric(alarm)),
        )


def _one_metric(alarm: Alarm) -> dict[str, Any]:
    (metric,) = alarm.metrics.values()
    return {
        "namespace": metric.namespace,
        "metric_name": metric.name,
        "dimensions": metric.dimensions,
        "statistic": metric.statistic,
        "period": alarm.period,
    }


def _one_value(alarm: Alarm) -> dict[str, Any]:
    value = aws.cloudwatch.MetricAlarmMetricQueryArgs(
        id="value", expression=alarm.expression, label=alarm.slug, return_data=True
    )
    metrics = [_query(name, metric, alarm.period) for name, metric in alarm.metrics.items()]
    return {"metric_queries": [value, *metrics]}


def _query(name: str, metric: Metric, period: int) -> aws.cloudwatch.MetricAlarmMetricQueryArgs:
    return aws.cloudwatch.MetricAlarmMetricQueryArgs(
        id=name,
        return_data=False,
        metric=aws.cloudwatch.MetricAlarmMetricQueryMetricArgs(
            namespace=metric.namespace,
            metric_name=metric.name,
            dimensions=metric.dimensions,
            stat=metric.statistic,
            period=period,
        ),
    )


def dashboards(
    name: str, watches: Sequence[Watch], settings: Settings, opts: pulumi.ResourceOptions
) -> list[aws.cloudwatch.Dashboard]:
    """Declare a dashboard for each of the accounts in which hops start, of those hops.

    One sees no other account, unless somebody has the accounts share their metrics; and a member
    says how it is reached, not always in which account it is, so credentials tell accounts apart.
    """
    accounts: dict[object, list[Watch]] = {}
    for watch in watches:
        member = watch.replica.member
        accounts.setdefault((member.partition, member.credentials), []).append(watch)
    return [_dashboard(name, mine, settings, opts) for mine in accounts.values()]


def _dashboard(
    name: str, watches: Sequence[Watch], settings: Settings, opts: pulumi.ResourceOptions
) -> aws.cloudwatch.Dashboard:
    first = watches[0].replica
    rows = [
        Row(hop.measured, [alarm.arn for alarm in watch.alarms[hop.name]])
        for watch in watches
        for hop in watch.hops
    ]
    here = {row.hop.label for row in rows}
    labels = [f"{way.source.name} -> {way.target.name}" for way in all_hops(settings)]
    elsewhere = [label for label in labels if label not in here]
    told = dashboard_body(
        settings.table.name, rows, elsewhere, settings.watch.max_lag_seconds(settings.mapping)
    )
    # The name must be the ring's alone: AWS would put it in the place of another's. A table is in
    # one ring, and the first one's replica id is in no other.
    table = re.sub("[^A-Za-z0-9_-]", "-", settings.table.name)[:200]
    return aws.cloudwatch.Dashboard(
        f"{name}-{first.member.resource_name}",
        dashboard_name=f"ring-{table}-{first.member.id}",
        dashboard_body=pulumi.Output.json_dumps(told),
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(provider=first.provider)),
    )
