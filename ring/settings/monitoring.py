"""The section `watch`, and what it must be to the rest of the settings. Pure."""

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
"""Seconds that a hop may lag before its alarm goes off."""

_MOST_ACTIONS = 5
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"""

TopicArn = Annotated[
    str,
    matches(
        r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}",
        "this is not the ARN of a standard topic",
        "Copy it from `aws sns list-topics`: arn:aws:sns:<region>:<account>:<name>",
    ),
]
Email = Annotated[
    str,
    matches(
        r"[^@\s]+@[^@\s]+\.[^@\s]+",
        "this is not an address",
        "Write one such as ops@example.com.",
    ),
]


def _non_empty(topics: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse an empty list; pydantic's own check also refuses one in which all are wrong."""
    if not topics:
        raise reject("an empty list calls nobody", "Leave it out, and the ring makes its own.")
    return topics


class WatchSettings(SettingsModel):
    """Whether alarms and a dashboard watch the hops, and whom the alarms call."""

    enabled: StrictBool = True
    email: Email | None = None
    """Who is subscribed to the topics that the ring makes, and has to confirm each."""
    topics: Annotated[tuple[TopicArn, ...], AfterValidator(_non_empty)] | None = None
    """The topics to call instead of the ring's own; a member's alarms call those in its region."""
    iterator_age: Annotated[StrictInt, Field(ge=60, le=86_400)] | None = None
    """Seconds that a hop may lag. Default: 300, or half of `mapping.record_age` if that is less."""

    def max_lag_seconds(self, mapping: MappingSettings) -> int:
        """How far a hop may lag, in seconds."""
        return self.iterator_age or min(DEFAULT_MAX_LAG_SECONDS, mapping.record_age // 2)

    def topics_in(self, region: str) -> list[str]:
        """Those of the given topics that alarms in a region can call."""
        return [topic for topic in self.topics or () if Arn.parse(topic).region == region]


def check_watch(
    watch: WatchSettings, mapping: MappingSettings, sources: Sequence[Member] | None
) -> Iterator[SettingProblem]:
    """All mistakes between the section and the rest.

    `sources` are the members at which the stack's hops start, None if they are not known.
    """
    yield from _rings_before_records_are_given_up(watch, mapping)
    yield from _email_has_a_topic(watch)
    if watch.topics and sources is not None:
        regions = list(dict.fromkeys(member.region for member in sources))
        yield from list(_topics_are_in_reach(watch.topics, regions)) or _all_are_heard(
            watch, regions
        )


def _rings_before_records_are_given_up(
    watch: WatchSettings, mapping: MappingSettings
) -> Iterator[SettingProblem]:
    if watch.iterator_age and watch.iterator_age >= mapping.record_age:
        yield SettingProblem(
            "watch.iterator_age",
            watch.iterator_age,
            f"a record is given up after {mapping.record_age} seconds, before anyone is notified",
            f"Write less than {mapping.record_age}, or raise mapping.record_age.",
        )


def _email_has_a_topic(watch: WatchSettings) -> Iterator[SettingProblem]:
    if watch.email and watch.topics:
        yield SettingProblem(
            "watch.email",
            watch.email,
            "it is subscribed to topics that the ring makes, and with watch.topics it makes none",
            "Subscribe it to your topics yourself, or leave one of the two out.",
        )


def _topics_are_in_reach(topics: Sequence[str], regions: Sequence[str]) -> Iterator[SettingProblem]:
    for at, topic in enumerate(topics):
        arn, key = Arn.parse(topic), f"watch.topics[{at}]"
        if arn.region not in regions:
            yield SettingProblem(
                key,
                topic,
                f"no hop of this stack starts in {arn.region}, and an alarm calls topics of its "
                "own region alone",
                f"Give one in {' or '.join(regions)}, or leave it out.",
            )
        elif arn.partition != partition_of(arn.region):
            yield SettingProblem(
                key,
                topic,
                f"it lies in partition {arn.partition}, {arn.region} in {partition_of(arn.region)}",
                f"Write arn:{partition_of(arn.region)}: in front, if the rest is right.",
            )


def _all_are_heard(watch: WatchSettings, regions: Sequence[str]) -> Iterator[SettingProblem]:
    for region in regions:
        found = watch.topics_in(region)
        if not found:
            yield SettingProblem(
                "watch.topics",
                list(watch.topics or ()),
                f"none of them lies in {region}, where a hop starts, and an alarm calls topics of "
                "its own region alone",
                f"Add one in {region}; or leave all out, and the ring makes its own.",
            )
        if len(found) > _MOST_ACTIONS:
            yield SettingProblem(
                "watch.topics",
                found,
                f"{len(found)} lie in {region}, and an alarm calls {_MOST_ACTIONS} at most",
                "Let one of them call the others.",
            )
