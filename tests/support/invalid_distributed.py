"""Settings of the section `distributed`, wrong and right: tables for test_settings."""

from __future__ import annotations

from tests.support.pulumi_mocks import ABROAD, CHINA, TWO


def apart(count: int, **settings: object) -> list[object]:
    """Members with a key each, in regions of which each has several tables."""
    regions = ("us-east-1", "eu-west-1", "sa-east-1", "af-south-1")
    return [
        {
            "region": (region := regions[at % 4]),
            "table": f"orders-{at:02}",
            "kms_key": f"arn:aws:kms:{region}:123456789012:key/{at:08}-5f0b-4c7a-9a53-6d8c1c5b7a10",
            **settings,
        }
        for at in range(count)
    ]


MANY: dict[str, object] = {"tombstones": {"retention_days": 90}}


def on(**settings: object) -> dict[str, object]:
    return {"distributed": {"enabled": True, **settings}}


# sections -> the key that is named, words of the reason, words of the remedy
WRONG: dict[str, tuple[dict[str, object], str, str, str]] = {
    "an unknown key of the part": (
        on(region="eu-west-1"),
        "distributed.region",
        "no such",
        "`enabled`, `at`, `at_once`, `memory`, `writes`",
    ),
    "more at once than Step Functions can": (
        on(at_once=10_001),
        "distributed.at_once",
        "above the maximum",
        "10000",
    ),
    "it stands at no member": (on(at="eu-west-2"), "distributed.at", "name", "`eu-west-1`"),
    "it stands at one of another stack": (
        on(at="eu-west-1") | {"hops": ["us-east-1"]},
        "distributed.at",
        "name",
        "`us-east-1`",
    ),
    "a member in another partition": (
        on() | {"members": CHINA},
        "distributed.enabled",
        "cn-north-1 is in partition aws-cn, and the functions would run at us-east-1 in aws",
        "without --distributed",
    ),
    "more members than a role has room for": (
        on() | MANY | {"members": apart(40)},
        "distributed.enabled",
        "characters with 40 members; IAM allows 10,240",
        "without --distributed",
    ),
}
RIGHT: dict[str, dict[str, object]] = {
    "the part stands at the first member": on(),
    "the part stands at another member": on(at="eu-west-1", at_once=10_000, memory=512),
    "the part stands where the stack's hop starts": on() | {"hops": ["eu-west-1"]},
    "a member in another account": on() | {"members": ABROAD},
    "another partition where the part is off": {"distributed": {"at_once": 5}, "members": CHINA},
    "as many members as a role has room for": on() | MANY | {"members": apart(26)},
    "many members of which the stack has few": (
        on() | MANY | {"members": apart(40), "hops": ["us-east-1-orders-00"]}
    ),
    "many members where the part is off": MANY | {"members": apart(40)},
    "two tables of a region": on(at="us-east-1/orders-b")
    | {"members": [*TWO, {"region": "us-east-1", "table": "orders-b"}]},
}
