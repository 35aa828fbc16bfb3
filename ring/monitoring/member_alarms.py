"""Monitoring: the component of a member's alarms, and the dashboards."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from ring.component_types import WATCH
from ring.hop import Hop
from ring.hop_metrics import Metric
from ring.monitoring.alarms import Alarm, hop_alarms, quarantine_bucket_alarm
from ring.monitoring.dashboard import Row, dashboard_body
from ring.replica import Replica
from ring.settings.settings import Settings
from ring.topology import all_hops


class MemberAlarms(pulumi.ComponentResource):
    """Alarms of the hops that start at a member, in its region and account, as their metrics are.

    They notify the user's topics in that region, or else a topic that is created here.
    """

    topic: aws.sns.Topic | None
    """The topic created here; None if the alarms notify the user's own."""
    alarms: Mapping[str, Sequence[aws.cloudwatch.MetricAlarm]]
    """The alarms by the hop's name. Each list has the alarm of the member's quarantine, too."""

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
        self._opts = pulumi.ResourceOptions(parent=self, provider=replica.provider)
        self.topic = (
            None if settings.monitoring.topics else self._topic(name, settings.monitoring.email)
        )
        self._actions: list[pulumi.Input[str]] = [
            *settings.monitoring.topics_in(replica.member.region)
        ]
        if self.topic:
            self._actions = [self.topic.arn]
        assert replica.quarantine  # a hop's source is never `named_only`
        table = f"Table {settings.table.name}"
        bucket_alarm = self._alarm(
            name,
            f"{table}, member {replica.member.name}",
            quarantine_bucket_alarm(replica.quarantine.bucket),
        )
        max_lag_seconds = settings.monitoring.max_lag_seconds(settings.mapping)
        self.alarms = {
            hop.name: [
                *(
                    self._alarm(hop.name, f"{table}, hop {hop.metrics.label}", alarm)
                    for alarm in hop_alarms(hop.metrics, max_lag_seconds)
                ),
                bucket_alarm,
            ]
            for hop in hops
        }
        self.register_outputs({"topic": self.topic and self.topic.arn})

    def _topic(self, name: str, email: str | None) -> aws.sns.Topic:
        # A key's policy has to allow CloudWatch: docs/how-to/encryption-keys.md. Without a key, the
        # topic holds only alarm texts, which SNS does not keep after delivery.
        key = self.replica.member.kms_key
        topic = aws.sns.Topic(name, kms_master_key_id=key, opts=self._opts)
        if email:
            aws.sns.TopicSubscription(
                name, topic=topic.arn, protocol="email", endpoint=email, opts=self._opts
            )
        return topic

    def _alarm(self, name: str, subject: str, alarm: Alarm) -> aws.cloudwatch.MetricAlarm:
        return aws.cloudwatch.MetricAlarm(
            f"{name}-{alarm.slug}",
            alarm_description=alarm.description(subject),
            alarm_actions=self._actions,
            comparison_operator="GreaterThanThreshold",
            threshold=alarm.threshold,
            evaluation_periods=alarm.evaluation_periods,
            datapoints_to_alarm=alarm.datapoints_to_alarm,
            treat_missing_data=alarm.missing,
            opts=self._opts,
            **(_expression(alarm) if alarm.expression else _single_metric(alarm)),
        )


def _single_metric(alarm: Alarm) -> dict[str, Any]:
    (metric,) = alarm.metrics.values()
    return {
        "namespace": metric.namespace,
        "metric_name": metric.name,
        "dimensions": metric.dimensions,
        "statistic": metric.statistic,
        "period": alarm.period,
    }


def _expression(alarm: Alarm) -> dict[str, Any]:
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
    name: str, monitors: Sequence[MemberAlarms], settings: Settings, opts: pulumi.ResourceOptions
) -> list[aws.cloudwatch.Dashboard]:
    """Declare a dashboard for each account in which hops start, with those hops.

    A dashboard shows no metrics of another account unless the accounts share them. Members with the
    same credentials are in the same account; the account's ID itself need not be known.
    """
    accounts: dict[object, list[MemberAlarms]] = {}
    for monitor in monitors:
        member = monitor.replica.member
        accounts.setdefault((member.partition, member.credentials), []).append(monitor)
    return [_dashboard(name, in_account, settings, opts) for in_account in accounts.values()]


def _dashboard(
    name: str, monitors: Sequence[MemberAlarms], settings: Settings, opts: pulumi.ResourceOptions
) -> aws.cloudwatch.Dashboard:
    first = monitors[0].replica
    rows = [
        Row(hop.metrics, [alarm.arn for alarm in monitor.alarms[hop.name]])
        for monitor in monitors
        for hop in monitor.hops
    ]
    shown = {row.hop.label for row in rows}
    labels = [f"{edge.source.name} -> {edge.target.name}" for edge in all_hops(settings)]
    omitted = [label for label in labels if label not in shown]
    body = dashboard_body(
        settings.table.name, rows, omitted, settings.monitoring.max_lag_seconds(settings.mapping)
    )
    # The name must be unique: AWS would overwrite another ring's dashboard of the same name. A
    # table is in one ring, so the replica id of its first member is unique.
    table = re.sub("[^A-Za-z0-9_-]", "-", settings.table.name)[:200]
    return aws.cloudwatch.Dashboard(
        f"{name}-{first.member.resource_name}",
        dashboard_name=f"ring-{table}-{first.member.id}",
        dashboard_body=pulumi.Output.json_dumps(body),
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(provider=first.provider)),
    )
