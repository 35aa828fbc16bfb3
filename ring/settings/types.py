"""What a single value of a stack's settings must be, whatever stands beside it."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictInt

from ring.settings.errors import reject
from ring.settings.regions import KNOWN_REGION

RESERVED = "_repl_"
"""Attributes that begin so belong to the ring."""

TOMBSTONES = "-tombstones"
"""The tombstone table is named after its table, with this behind it."""


def matches(pattern: str, reason: str, remedy: str) -> AfterValidator:
    """Demand that the whole of a text has this shape."""

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
        "DynamoDB takes 3 to 255 of the characters a-z A-Z 0-9 _ . - and the tombstone table's "
        f"name has `{TOMBSTONES}` behind it",
        f"Choose a name of 3 to {255 - len(TOMBSTONES)} such characters.",
    ),
]
IndexName = Annotated[
    str,
    matches(
        f"{_NAME}{{3,255}}",
        "DynamoDB takes 3 to 255 of the characters a-z A-Z 0-9 _ . - as an index's name",
        "Choose a name of such characters.",
    ),
]
AttributeName = Annotated[
    str,
    matches(
        f"(?!{RESERVED})(?s:.*)",
        f"attributes that begin with `{RESERVED}` are the ring's own and never compared",
        "Choose another attribute.",
    ),
    matches(
        "(?s:.{1,255})",
        "DynamoDB takes 1 to 255 characters as a key attribute's name",
        "Choose a name of such length.",
    ),
]
ProjectedName = Annotated[
    str,
    matches(
        "(?s:.{1,255})",
        "DynamoDB takes 1 to 255 characters as the name of an attribute that an index projects",
        "Choose a name of such length.",
    ),
]
Region = Annotated[
    str,
    matches(
        r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}",
        "no region has a name like this",
        "Write it as AWS does, such as eu-west-1; all are listed at "
        "https://docs.aws.amazon.com/general/latest/gr/ddb.html",
    ),
    KNOWN_REGION,
]
MemberName = Annotated[
    str,
    matches(
        "[A-Za-z0-9][A-Za-z0-9_-]{0,39}",
        "a member's name becomes part of the names of functions and roles",
        "Use up to 40 letters, digits, - and _, a letter or digit first.",
    ),
]
Account = Annotated[
    str, matches(r"\d{12}", "an AWS account has 12 digits", "Write all 12, between quotes.")
]
StreamArn = Annotated[
    str,
    matches(
        rf"arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:\d{{12}}:table/{_NAME}{{3,255}}/stream/[0-9T:.-]+",
        "this is not the ARN of a table's stream",
        "Copy it from `aws dynamodb describe-table`, where it is called LatestStreamArn: "
        "arn:aws:dynamodb:<region>:<account>:table/<table>/stream/<label>",
    ),
]
RoleArn = Annotated[
    str,
    matches(
        r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+",
        "this is not the ARN of a role",
        "Write arn:aws:iam::<account>:role/<name>, with your partition for aws.",
    ),
]
KeyArn = Annotated[
    str,
    matches(
        r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+",
        "this is not the ARN of a KMS key (an alias will not do: policies name the key itself)",
        "Write arn:aws:kms:<region>:<account>:key/<id>, with your partition for aws.",
    ),
]
SecretArn = Annotated[
    str,
    matches(
        r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+-[A-Za-z0-9]{6}",
        "this is not the whole ARN of a secret, which ends with six characters of AWS's choice",
        "Copy it from `aws secretsmanager describe-secret`: "
        "arn:aws:secretsmanager:<region>:<account>:secret:<name>-<six characters>",
    ),
]
Profile = Annotated[
    str,
    matches(
        r"[^\s\[\]]+",
        "a profile's name is one word without brackets",
        "Write it as it stands in ~/.aws/config, without `profile` and brackets.",
    ),
]
# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
ExternalId = Annotated[
    str,
    matches(
        r"[\w+=,.@:/-]{2,1224}",
        "STS takes 2 to 1224 letters, digits and + = , . @ : / - as an external id",
        "Write the id that the role's trust policy asks for.",
    ),
]


_MOST_TAGS = 50


def _in_tags(text: str) -> str:
    """Refuse what some service takes in no tag.

    Most take these characters alone, and the ring tags resources of eight services alike:
    https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
    """
    wrong = [one for one in text if not _is_in_tags(one)]
    if wrong:
        raise reject(
            f"{wrong[0]!r} is in it, and AWS takes letters, digits, spaces and _ . : / = + - @ in "
            "tags",
            "Write it with such characters.",
        )
    return text


def _is_in_tags(character: str) -> bool:
    return character in "_.:/=+-@" or unicodedata.category(character)[0] in "LNZ"


TagKey = Annotated[
    str,
    matches(
        "(?i:(?!aws:))(?s:.{1,128})",
        "AWS takes 1 to 128 characters as a tag's key and keeps `aws:`, in any case, for itself",
        "Choose another key.",
    ),
    AfterValidator(_in_tags),
]
TagValue = Annotated[str, Field(max_length=256), AfterValidator(_in_tags)]


def _all_of_them(tags: dict[str, str]) -> dict[str, str]:
    """Refuse more than a resource takes, and two keys that IAM takes for one.

    https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_rules_creating
    """
    if len(tags) > _MOST_TAGS:
        raise reject(
            f"AWS takes {_MOST_TAGS} tags on a resource, and these are {len(tags)}",
            f"Keep {_MOST_TAGS} at most.",
        )
    seen: dict[str, str] = {}
    for key in tags:
        if twin := seen.get(key.lower()):
            raise reject(
                f"`{twin}` and `{key}` differ in nothing but case, and IAM takes them for one",
                "Leave one of them out.",
            )
        seen[key.lower()] = key
    return tags


Tags = Annotated[dict[TagKey, TagValue], AfterValidator(_all_of_them)]

LogRetention = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
]  # fmt: skip
"""Days. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"""

Capacity = Annotated[StrictInt, Field(ge=1)]

MemberState = Literal["in", "bypassed", "rejoining"]
"""in: a part of the circle. bypassed: nothing is sent to it, the ring is closed around it; what it
still has in its stream goes to the next member. rejoining: it is sent everything again, and the hop
around it stays until it has caught up."""
