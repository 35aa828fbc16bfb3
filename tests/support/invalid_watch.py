"""Settings of the section `watch`, wrong and right: tables for test_settings."""

from __future__ import annotations

from tests.support.pulumi_mocks import CHINA, TWO

HERE = "arn:aws:sns:us-east-1:123456789012:ops"
THERE = "arn:aws:sns:eu-west-1:123456789012:ops"
ELSEWHERE = "arn:aws:sns:us-west-2:123456789012:ops"
IN_CHINA = "arn:aws-cn:sns:cn-north-1:210987654321:ops"


def watch(**settings: object) -> dict[str, object]:
    return {"watch": settings}


# sections -> the key that is named, words of the reason, words of the remedy
WRONG: dict[str, tuple[dict[str, object], str, str, str]] = {
    "an unknown key of the watch": (watch(mail="a@b.c"), "watch.mail", "no such", "`email`"),
    "neither on nor off": (watch(enabled="yes"), "watch.enabled", "true or false", "true or false"),
    "an email that is none": (watch(email="ops"), "watch.email", "no", "ops@example.com"),
    "a topic's name for its ARN": (watch(topics=["ops"]), "watch.topics[0]", "not the ARN", "arn:"),
    "a queue for a topic": (
        watch(topics=[HERE.replace("sns", "sqs"), THERE]),
        "watch.topics[0]",
        "not the ARN of a standard topic",
        "list-topics",
    ),
    "a topic that keeps an order": (
        watch(topics=[HERE + ".fifo", THERE]),
        "watch.topics[0]",
        "standard topic",
        "list-topics",
    ),
    "no topics": (watch(topics=[]), "watch.topics", "notifies nobody", "Leave it out"),
    "a topic in no member's region": (
        watch(topics=[HERE, THERE, ELSEWHERE]),
        "watch.topics[2]",
        "no hop of this stack starts in us-west-2",
        "us-east-1 or eu-west-1",
    ),
    "a topic in a region where only another stack's hop starts": (
        watch(topics=[HERE, THERE]) | {"hops": ["us-east-1"]},
        "watch.topics[1]",
        "no hop of this stack starts in eu-west-1",
        "us-east-1",
    ),
    "a topic of another partition": (
        watch(topics=[HERE.replace("arn:aws:", "arn:aws-cn:"), THERE]),
        "watch.topics[0]",
        "partition aws-cn, us-east-1 in aws",
        "arn:aws:",
    ),
    "a region without a topic": (
        watch(topics=[HERE]),
        "watch.topics",
        "none of them is in eu-west-1",
        "Add one in eu-west-1",
    ),
    "more topics than an alarm calls": (
        watch(topics=[*(HERE + str(at) for at in range(6)), THERE]),
        "watch.topics",
        "6 are in us-east-1, and an alarm can notify at most 5",
        "the others",
    ),
    "an email for topics of one's own": (
        watch(topics=[HERE, THERE], email="ops@example.com"),
        "watch.email",
        "it creates none",
        "yourself",
    ),
    "a lag threshold beyond the record age": (
        watch(iterator_age=3600) | {"mapping": {"record_age": 3600}},
        "watch.iterator_age",
        "go to the quarantine after 3600 seconds",
        "less than 3600",
    ),
    "a lag threshold below a minute": (
        watch(iterator_age=59),
        "watch.iterator_age",
        "below",
        "60 or more",
    ),
}

RIGHT: dict[str, dict[str, object]] = {
    "nobody watches": watch(enabled=False),
    "a topic in each region": watch(topics=[THERE, HERE, HERE + "-2"]),
    "a topic where the stack's only hop starts": watch(topics=[HERE]) | {"hops": ["us-east-1"]},
    "one topic for two tables of a region": watch(topics=[HERE])
    | {"members": [TWO[0], {"region": "us-east-1", "table": "orders-b"}]},
    "topics in two partitions": watch(topics=[HERE, IN_CHINA]) | {"members": CHINA},
    "an age that leaves no room for the usual five minutes": {"mapping": {"record_age": 60}},
    "a lag threshold just below the record age": watch(iterator_age=3599)
    | {"mapping": {"record_age": 3600}},
}
