"""Every name that the stack declares has room for what Pulumi puts behind it."""

from __future__ import annotations

from typing import Any

import pytest

from ring.ring import Ring
from ring.settings.settings import Settings
from tests.support.pulumi_mocks import CHINA, Watching, config, watch

LIMITS = {
    "aws:lambda/function:Function": 64,
    "aws:iam/role:Role": 64,
    # The provider allows more; IAM does not:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    "aws:iam/user:User": 64,
    "aws:cloudwatch/eventRule:EventRule": 64,
    "aws:sns/topic:Topic": 80,
    "aws:sfn/stateMachine:StateMachine": 80,
    "aws:lambda/permission:Permission": 100,
    "aws:iam/rolePolicy:RolePolicy": 128,
    "aws:iam/userPolicy:UserPolicy": 128,
    "aws:cloudwatch/metricAlarm:MetricAlarm": 255,
    "aws:cloudwatch/logGroup:LogGroup": 512,
    # Its own names begin with a prefix, and have 26 characters behind it.
    "aws:s3/bucket:Bucket": 63,
}
"""The most characters of a name, that of a state machine as Step Functions says it:
https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html"""
SUFFIX = len("-0123456")
LONGEST = "ring-of-fifteen"
WIDE: dict[str, object] = {"heartbeat": {"enabled": True}, "monitoring": {"email": "a@example.com"}}


def named(*, both_long: bool, **sections: Any) -> Watching:
    first, second = sections["members"]
    first = first | {"name": "n" * 40}
    second = second | ({"name": "m" * 40} if both_long else {})
    settings = Settings.parse(config(**{**sections, "members": [first, second]}))
    return watch(lambda: Ring(LONGEST, settings))


@pytest.mark.parametrize("both_long", [True, False])
@pytest.mark.parametrize(
    "sections",
    [
        {"members": [{"region": "us-east-1"}, {"region": "eu-west-1", "role": None}]},
        {"members": CHINA},
        {
            "members": [
                {"region": "us-east-1"},
                {
                    "region": "eu-west-1",
                    "account": "210987654321",
                    "role": "arn:aws:iam::210987654321:role/r",
                },
            ],
            "distributed": {"enabled": True},
        },
    ],
    ids=["one account", "two partitions", "two accounts"],
)
def test_the_longest_names_have_room_for_pulumis_suffix(
    sections: dict[str, Any], both_long: bool
) -> None:
    seen = named(both_long=both_long, **WIDE, **sections)

    too_long = {
        f"{one.type} {one.name}"
        for one in seen.declared
        if one.type in LIMITS
        if "bucketPrefix" not in one.inputs and len(one.name) + SUFFIX > LIMITS[one.type]
    }
    assert too_long == set()
    for bucket in seen.all("Bucket"):
        assert len(bucket.inputs["bucketPrefix"]) <= LIMITS[bucket.type] - 26


def test_a_writers_user_is_named_after_its_member_where_there_is_room() -> None:
    settings = Settings.parse(config(members=CHINA))
    seen = watch(lambda: Ring("ring", settings))

    assert {one.name for one in seen.all("User")} == {
        "ring-us-east-1-writer",
        "ring-cn-north-1-writer",
    }


def test_users_of_two_members_that_begin_alike_differ() -> None:
    alike = ["n" * 39 + end for end in "ab"]
    members = [first | {"name": name} for first, name in zip(CHINA, alike, strict=True)]  # type: ignore[operator]
    settings = Settings.parse(config(members=members))
    users = watch(lambda: Ring(LONGEST, settings)).all("User")

    assert len({one.name for one in users}) == 2
