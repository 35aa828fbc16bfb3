"""Types of single settings, with the checks that need no other setting."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictInt

from ring.settings.errors import reject
from ring.settings.regions import KNOWN_REGION

RESERVED = "_repl_"
"""Prefix of the ring's own attributes."""

HEARTBEAT_ATTRIBUTE = "ring_heartbeat"
"""Attribute of heartbeats, with their time as a number; `handler/heartbeat.py` writes it."""

TOMBSTONES = "-tombstones"
"""Suffix of the tombstone table's name after its table's."""


def matches(pattern: str, reason: str, remedy: str) -> AfterValidator:
    """Require that the whole text matches a pattern."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise reject(reason, remedy)
        return text

    return AfterValidator(check)


# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
_NAME = "[A-Za-z0-9_.-]"

TableName = Annotated[
    str,
    matches(
        f"{_NAME}{{3,{255 - len(TOMBSTONES)}}}",
        "a table's name has 3 to 255 of the characters a-z A-Z 0-9 _ . - and the tombstone table's "
        f"name adds `{TOMBSTONES}`",
        f"Choose a name of 3 to {255 - len(TOMBSTONES)} of these characters.",
    ),
]
IndexName = Annotated[
    str,
    matches(
        f"{_NAME}{{3,255}}",
        "an index's name has 3 to 255 of the characters a-z A-Z 0-9 _ . -",
        "Choose a name of these characters.",
    ),
]
AttributeName = Annotated[
    str,
    matches(
        f"(?!{RESERVED})(?s:.*)",
        f"attributes that begin with `{RESERVED}` are reserved for the ring",
        "Choose another attribute.",
    ),
    matches(
        "(?s:.{1,255})",
        "a key attribute's name has 1 to 255 characters",
        "Choose a name of that length.",
    ),
]
ProjectedName = Annotated[
    str,
    matches(
        "(?s:.{1,255})",
        "the name of a projected attribute has 1 to 255 characters",
        "Choose a name of that length.",
    ),
]
Region = Annotated[
    str,
    matches(
        r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}",
        "it is not the name of a region",
        "Write a name such as eu-west-1; all are listed at "
        "https://docs.aws.amazon.com/general/latest/gr/ddb.html",
    ),
    KNOWN_REGION,
]
MemberName = Annotated[
    str,
    matches(
        "[A-Za-z0-9][A-Za-z0-9_-]{0,39}",
        "a member's name is part of the names of functions and roles",
        "Use up to 40 letters, digits, - and _, starting with a letter or digit.",
    ),
]
Account = Annotated[
    str, matches(r"\d{12}", "an AWS account ID has 12 digits", "Write all 12, in quotes.")
]
StreamArn = Annotated[
    str,
    matches(
        rf"arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:\d{{12}}:table/{_NAME}{{3,255}}/stream/[0-9T:.-]+",
        "it is not the ARN of a table's stream",
        "Copy LatestStreamArn from `aws dynamodb describe-table`: "
        "arn:aws:dynamodb:<region>:<account>:table/<table>/stream/<label>",
    ),
]
RoleArn = Annotated[
    str,
    matches(
        r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+",
        "it is not the ARN of a role",
        "Write arn:aws:iam::<account>:role/<name>, with your partition instead of aws.",
    ),
]
KeyArn = Annotated[
    str,
    matches(
        r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+",
        "it is not the ARN of a KMS key (nor is an alias: policies name the key itself)",
        "Write arn:aws:kms:<region>:<account>:key/<id>, with your partition instead of aws.",
    ),
]
SecretArn = Annotated[
    str,
    matches(
        r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+-[A-Za-z0-9]{6}",
        "it is not the full ARN of a secret, which ends with six characters that AWS adds",
        "Copy it from `aws secretsmanager describe-secret`: "
        "arn:aws:secretsmanager:<region>:<account>:secret:<name>-<six characters>",
    ),
]
Profile = Annotated[
    str,
    matches(
        r"[^\s\[\]]+",
        "a profile's name is one word without brackets",
        "Write the name in ~/.aws/config, without `profile` and brackets.",
    ),
]
# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
ExternalId = Annotated[
    str,
    matches(
        r"[\w+=,.@:/-]{2,1224}",
        "an external ID has 2 to 1224 letters, digits and + = , . @ : / -",
        "Write the ID that the role's trust policy requires.",
    ),
]


MAX_TAGS = 50


def _check_tag_characters(text: str) -> str:
    """Reject characters that some service does not allow in tags.

    Most allow these alone, and the ring puts the same tags on resources of eight services:
    https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
    """
    invalid = [char for char in text if not _is_allowed_in_tags(char)]
    if invalid:
        raise reject(
            f"it contains {invalid[0]!r}; tags allow letters, digits, spaces and _ . : / = + - @",
            "Use these characters only.",
        )
    return text


def _is_allowed_in_tags(character: str) -> bool:
    return character in "_.:/=+-@" or unicodedata.category(character)[0] in "LNZ"


TagKey = Annotated[
    str,
    matches(
        "(?i:(?!aws:))(?s:.{1,128})",
        "a tag's key has 1 to 128 characters, and `aws:` in any case is reserved for AWS",
        "Choose another key.",
    ),
    AfterValidator(_check_tag_characters),
]
TagValue = Annotated[str, Field(max_length=256), AfterValidator(_check_tag_characters)]


def _check_tags(tags: dict[str, str]) -> dict[str, str]:
    """Reject more tags than a resource can have, and keys that differ only in case.

    https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_rules_creating
    """
    if len(tags) > MAX_TAGS:
        raise reject(
            f"a resource can have {MAX_TAGS} tags, and there are {len(tags)}",
            f"Keep at most {MAX_TAGS}.",
        )
    seen: dict[str, str] = {}
    for key in tags:
        if twin := seen.get(key.lower()):
            raise reject(
                f"`{twin}` and `{key}` differ only in case, and IAM ignores the case of keys",
                "Remove one of them.",
            )
        seen[key.lower()] = key
    return tags


Tags = Annotated[dict[TagKey, TagValue], AfterValidator(_check_tags)]

LogRetention = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
]  # fmt: skip
"""Days. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"""

Capacity = Annotated[StrictInt, Field(ge=1)]

MemberState = Literal["in", "bypassed", "rejoining"]
"""in: a regular member. bypassed: it receives no writes, its predecessor replicates to its
successor, and its own hop drains its stream. rejoining: it receives writes again, and the hop
around it stays until it has caught up."""
