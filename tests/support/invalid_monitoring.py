"""Settings of the section `monitoring`, wrong and right: tables for test_settings."""

from __future__ import annotations

from tests.support.pulumi_mocks import CHINA, TWO

HERE = "arn:aws:sns:us-east-1:123456789012:ops"
THERE = "arn:aws:sns:eu-west-1:123456789012:ops"
ELSEWHERE = "arn:aws:sns:us-west-2:123456789012:ops"
IN_CHINA = "arn:aws-cn:sns:cn-north-1:210987654321:ops"


def monitoring(**settings: object) -> dict[str, object]:
    return {"monitoring": settings}


# sections -> the key that is named, words of the reason, words of the remedy
WRONG: dict[str, tuple[dict[str, object], str, str, str]] = {
    "an unknown key of the monitoring": (
        monitoring(mail="a@b.c"),
        "monitoring.mail",
        "no such",
        "`email`",
    ),
    "neither on nor off": (
        monitoring(enabled="yes"),
        "monitoring.enabled",
        "true or false",
        "true or false",
    ),
    "an email that is none": (monitoring(email="ops"), "monitoring.email", "no", "ops@example.com"),
    "a topic's name for its ARN": (
        monitoring(topics=["ops"]),
        "monitoring.topics[0]",
        "not the ARN",
        "arn:",
    ),
    "a queue for a topic": (
        monitoring(topics=[HERE.replace("sns", "sqs"), THERE]),
        "monitoring.topics[0]",
        "not the ARN of a standard topic",
        "list-topics",
    ),
    "a topic that keeps an order": (
        monitoring(topics=[HERE + ".fifo", THERE]),
        "monitoring.topics[0]",
        "standard topic",
        "list-topics",
    ),
    "no topics": (monitoring(topics=[]), "monitoring.topics", "notifies nobody", "Leave it out"),
    "a topic in no member's region": (
        monitoring(topics=[HERE, THERE, ELSEWHERE]),
        "monitoring.topics[2]",
        "no hop of this stack starts in us-west-2",
        "us-east-1 or eu-west-1",
    ),
    "a topic in a region where only another stack's hop starts": (
        monitoring(topics=[HERE, THERE]) | {"hops": ["us-east-1"]},
        "monitoring.topics[1]",
        "no hop of this stack starts in eu-west-1",
        "us-east-1",
    ),
    "a topic of another partition": (
        monitoring(topics=[HERE.replace("arn:aws:", "arn:aws-cn:"), THERE]),
        "monitoring.topics[0]",
        "partition aws-cn, us-east-1 in aws",
        "arn:aws:",
    ),
    "a region without a topic": (
        monitoring(topics=[HERE]),
        "monitoring.topics",
        "none of them is in eu-west-1",
        "Add one in eu-west-1",
    ),
    "more topics than an alarm calls": (
        monitoring(topics=[*(HERE + str(at) for at in range(6)), THERE]),
        "monitoring.topics",
        "6 are in us-east-1, and an alarm can notify at most 5",
        "the others",
    ),
    "an email for topics of one's own": (
        monitoring(topics=[HERE, THERE], email="ops@example.com"),
        "monitoring.email",
        "it creates none",
        "yourself",
    ),
    "a lag threshold beyond the record age": (
        monitoring(iterator_age=3600) | {"mapping": {"record_age": 3600}},
        "monitoring.iterator_age",
        "go to the quarantine after 3600 seconds",
        "less than 3600",
    ),
    "a lag threshold below a minute": (
        monitoring(iterator_age=59),
        "monitoring.iterator_age",
        "below",
        "60 or more",
    ),
}

RIGHT: dict[str, dict[str, object]] = {
    "nobody monitors": monitoring(enabled=False),
    "a topic in each region": monitoring(topics=[THERE, HERE, HERE + "-2"]),
    "a topic where the stack's only hop starts": monitoring(topics=[HERE])
    | {"hops": ["us-east-1"]},
    "one topic for two tables of a region": monitoring(topics=[HERE])
    | {"members": [TWO[0], {"region": "us-east-1", "table": "orders-b"}]},
    "topics in two partitions": monitoring(topics=[HERE, IN_CHINA]) | {"members": CHINA},
    "an age that leaves no room for the usual five minutes": {"mapping": {"record_age": 120}},
    "a lag threshold just below the record age": monitoring(iterator_age=3599)
    | {"mapping": {"record_age": 3600}},
}
