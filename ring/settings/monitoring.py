"""The section `monitoring` and its rules. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import AfterValidator, Field, StrictBool, StrictInt

from ring.arn import Arn, partition_of
from ring.settings.errors import SettingProblem, reject
from ring.settings.members import Member
from ring.settings.sections import MappingSettings, SettingsModel
from ring.settings.types import matches

DEFAULT_MAX_LAG_SECONDS = 300
"""The lag of a hop above which its alarm goes off."""

_MAX_ACTIONS = 5
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"""

TopicArn = Annotated[
    str,
    matches(
        r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}",
        "it is not the ARN of a standard topic",
        "Copy it from `aws sns list-topics`: arn:aws:sns:<region>:<account>:<name>",
    ),
]
Email = Annotated[
    str,
    matches(
        r"[^@\s]+@[^@\s]+\.[^@\s]+",
        "it is not an email address",
        "Write an address such as ops@example.com.",
    ),
]


def _non_empty(topics: tuple[str, ...]) -> tuple[str, ...]:
    """Reject an empty list. Pydantic's own check also rejects a list of invalid topics only."""
    if not topics:
        raise reject("an empty list notifies nobody", "Leave it out, and the ring creates its own.")
    return topics


class MonitoringSettings(SettingsModel):
    """Alarms and dashboard of the hops, and whom the alarms notify."""

    enabled: StrictBool = True
    """Alarms on every hop, a dashboard per account, and a topic per member."""
    email: Email | None = None
    """Subscribed to each topic that the ring creates. Confirm each subscription within 3 days:
    AWS drops it then, and `refresh` with the next `up` sends another."""
    topics: Annotated[tuple[TopicArn, ...], AfterValidator(_non_empty)] | None = None
    """Topics to notify instead of the ring's own. A member's alarms notify those in its region."""
    iterator_age: Annotated[StrictInt, Field(ge=60, le=86_400)] | None = None
    """Seconds that a hop may lag. Default: 300, or half of `mapping.record_age` if that is less."""

    def max_lag_seconds(self, mapping: MappingSettings) -> int:
        """Return the threshold of the lag alarm in seconds."""
        return self.iterator_age or min(DEFAULT_MAX_LAG_SECONDS, mapping.record_age // 2)

    def topics_in(self, region: str) -> list[str]:
        """Return the topics that alarms in a region can notify."""
        return [topic for topic in self.topics or () if Arn.parse(topic).region == region]


def check_monitoring(
    monitoring: MonitoringSettings, mapping: MappingSettings, sources: Sequence[Member] | None
) -> Iterator[SettingProblem]:
    """Yield the problems between the section and the rest.

    `sources` are the members at which the stack's hops start, None if unknown.
    """
    yield from _lag_is_below_record_age(monitoring, mapping)
    yield from _email_has_a_topic(monitoring)
    if monitoring.topics and sources is not None:
        regions = list(dict.fromkeys(member.region for member in sources))
        yield from list(
            _topics_are_in_hop_regions(monitoring.topics, regions)
        ) or _every_region_has_a_topic(monitoring, regions)


def _lag_is_below_record_age(
    monitoring: MonitoringSettings, mapping: MappingSettings
) -> Iterator[SettingProblem]:
    if monitoring.iterator_age and monitoring.iterator_age >= mapping.record_age:
        yield SettingProblem(
            "monitoring.iterator_age",
            monitoring.iterator_age,
            f"records go to the quarantine after {mapping.record_age} seconds, before the alarm",
            f"Write less than {mapping.record_age}, or increase mapping.record_age.",
        )


def _email_has_a_topic(monitoring: MonitoringSettings) -> Iterator[SettingProblem]:
    if monitoring.email and monitoring.topics:
        yield SettingProblem(
            "monitoring.email",
            monitoring.email,
            "it is subscribed to topics that the ring creates; with monitoring.topics, "
            "it creates none",
            "Subscribe it to your topics yourself, or remove one of the two settings.",
        )


def _topics_are_in_hop_regions(
    topics: Sequence[str], regions: Sequence[str]
) -> Iterator[SettingProblem]:
    for index, topic in enumerate(topics):
        arn, key = Arn.parse(topic), f"monitoring.topics[{index}]"
        if arn.region not in regions:
            yield SettingProblem(
                key,
                topic,
                f"no hop of this stack starts in {arn.region}, and an alarm can only notify topics "
                "of its own region",
                f"Use one in {' or '.join(regions)}, or remove it.",
            )
        elif arn.partition != partition_of(arn.region):
            yield SettingProblem(
                key,
                topic,
                f"it is in partition {arn.partition}, {arn.region} in {partition_of(arn.region)}",
                f"Start it with arn:{partition_of(arn.region)}: if the rest is right.",
            )


def _every_region_has_a_topic(
    monitoring: MonitoringSettings, regions: Sequence[str]
) -> Iterator[SettingProblem]:
    for region in regions:
        found = monitoring.topics_in(region)
        if not found:
            yield SettingProblem(
                "monitoring.topics",
                list(monitoring.topics or ()),
                f"none of them is in {region}, where a hop starts, and an alarm can only notify "
                "topics of its own region",
                f"Add one in {region}, or remove the setting, and the ring creates its own.",
            )
        if len(found) > _MAX_ACTIONS:
            yield SettingProblem(
                "monitoring.topics",
                found,
                f"{len(found)} are in {region}, and an alarm can notify at most {_MAX_ACTIONS}",
                "Remove some, and forward from one of the topics to the others.",
            )
