"""Settings, wrong and right: tables for test_settings."""

from __future__ import annotations

from tests.support.pulumi_mocks import ORDERS, TWO

STREAM = "arn:aws:dynamodb:eu-west-1:123456789012:table/legacy/stream/2024-05-01T09:30:00.000"
ROLE = "arn:aws:iam::123456789012:role/deploys"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1f0f2d4e"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:ring/to-china-d4E5f6"
SECRET_THERE = "arn:aws-cn:secretsmanager:cn-north-1:210987654321:secret:ring-to-us-a1B2c3"


def table(**changes: object) -> dict[str, object]:
    return {"table": ORDERS | changes}


def member(**second: object) -> dict[str, object]:
    return {"members": [TWO[0], {"region": "eu-west-1"} | second]}


def in_china(**second: object) -> dict[str, object]:
    first = {"region": "us-east-1", "writer_secret": {"arn": SECRET_THERE}}
    return {"members": [first, {"region": "cn-north-1"} | second]}


def attribute(name: str, kind: str = "S") -> dict[str, str]:
    return {"name": name, "type": kind}


def by_status(**changes: object) -> dict[str, object]:
    return {"name": "by-status", "partition_key": attribute("status")} | changes


def named(count: int) -> list[str]:
    return [f"attribute-{at}" for at in range(count)]


def by_time(**changes: object) -> dict[str, object]:
    return {"name": "by-time", "sort_key": attribute("placed", "N")} | changes


# sections -> the key that is named, words of the reason, words of the remedy
WRONG: dict[str, tuple[dict[str, object], str, str, str]] = {
    # shape
    "an unknown section": ({"tombstone": {}}, "tombstone", "no such", "`tombstones`"),
    "an unknown key": (table(sortkey=1), "table.sortkey", "no such", "`sort_key`"),
    "an unknown key of a member": (member(tabel="x"), "members[1].tabel", "no such", "`table`"),
    "an unknown key deep down": (
        table(global_indexes=[by_status(sort_key=attribute("placed") | {"typ": "N"})]),
        "table.global_indexes[0].sort_key.typ",
        "no such",
        "`type`",
    ),
    "an unknown key like no other": (
        {"function": {"xyz": 1}},
        "function.xyz",
        "no such",
        "`memory`, `timeout`, `log_retention_days`, `log_items`, `http`, `runtime_updates`",
    ),
    "no table": ({"table": None}, "table", "mapping is required", "name: value"),
    "no name": (
        {"table": {"partition_key": attribute("customer")}},
        "table.name",
        "no default",
        "Add it",
    ),
    "no partition key": ({"table": {"name": "orders"}}, "table.partition_key", "no default", "Add"),
    "not the name of a region": (
        {"members": [TWO[0], {}]},
        "members[1].region",
        "no default",
        "Add it",
    ),
    "text for a mapping": ({"mapping": "fast"}, "mapping", "mapping is required", "name: value"),
    "text for a list": ({"hops": "us-east-1"}, "hops", "list", "`- `"),
    "a number for text": (table(name=4711), "table.name", "text", "quotes"),
    "text for a number": ({"function": {"memory": "512"}}, "function.memory", "number", "digits"),
    "a truth for a number": ({"function": {"timeout": True}}, "function.timeout", "number", "digi"),
    "a number for a truth": (
        {"tombstones": {"enabled": 1}},
        "tombstones.enabled",
        "true or false",
        "true or false",
    ),
    # names
    "a short name": (table(name="ab"), "table.name", "3 to 255", "3 to 244"),
    "a name with a space": (table(name="my orders"), "table.name", "a-z A-Z 0-9", "3 to 244"),
    "no room for tombstones": (table(name="o" * 245), "table.name", "-tombstones", "3 to 244"),
    "a member's bad name": (member(table="é-orders"), "members[1].table", "a-z", "3 to 244"),
    "an index's bad name": (
        table(global_indexes=[by_status(name="by status")]),
        "table.global_indexes[0].name",
        "index's name",
        "Choose",
    ),
    "two indexes of one name": (
        table(global_indexes=[by_status()], local_indexes=[by_time(name="by-status")]),
        "table.local_indexes[0].name",
        "table.global_indexes[0] has this name",
        "another name",
    ),
    # keys and attributes
    "a reserved partition key": (
        table(partition_key=attribute("_repl_version")),
        "table.partition_key.name",
        "`_repl_`",
        "another attribute",
    ),
    "a reserved index key": (
        table(local_indexes=[by_time(sort_key=attribute("_repl_x"))]),
        "table.local_indexes[0].sort_key.name",
        "`_repl_`",
        "another attribute",
    ),
    "a reserved ttl attribute": (
        table(ttl={"attribute": "_repl_expires"}),
        "table.ttl.attribute",
        "`_repl_`",
        "another attribute",
    ),
    "a key that a heartbeat would overwrite": (
        table(sort_key=attribute("ring_heartbeat", "N")) | {"heartbeat": {"enabled": True}},
        "table.sort_key.name",
        "each heartbeat writes its time to `ring_heartbeat`",
        "another attribute, or set heartbeat.enabled to false",
    ),
    "an index key that a heartbeat would write": (
        table(global_indexes=[by_status(partition_key=attribute("ring_heartbeat"))])
        | {"heartbeat": {"enabled": True}},
        "table.global_indexes[0].partition_key.name",
        "`ring_heartbeat`",
        "another attribute",
    ),
    "an expiry that is the time of a heartbeat": (
        table(ttl={"attribute": "ring_heartbeat"}) | {"heartbeat": {"enabled": True}},
        "table.ttl.attribute",
        "`ring_heartbeat`",
        "another attribute",
    ),
    "an empty key name": (table(sort_key=attribute("")), "table.sort_key.name", "1 to 255", "leng"),
    "a type that is no key": (
        table(sort_key=attribute("order", "BOOL")),
        "table.sort_key.type",
        "not one of the allowed values",
        "'S', 'N' or 'B'",
    ),
    "an attribute of two types": (
        table(global_indexes=[by_status(sort_key=attribute("order", "N"))]),
        "table.global_indexes[0].sort_key.type",
        "`order` is S in table.sort_key",
        "Write S",
    ),
    "one attribute as both keys": (
        table(sort_key=attribute("customer")),
        "table.sort_key.name",
        "partition key already",
        "another",
    ),
    "one attribute as both keys of an index": (
        table(global_indexes=[by_status(sort_key=attribute("status"))]),
        "table.global_indexes[0].sort_key.name",
        "partition key already",
        "another",
    ),
    "the partition key as a local sort key": (
        table(local_indexes=[by_time(sort_key=attribute("customer"))]),
        "table.local_indexes[0].sort_key.name",
        "partition key already",
        "another",
    ),
    "expiry in the table's key": (
        table(sort_key=attribute("expires", "N"), ttl={"attribute": "expires"}),
        "table.ttl.attribute",
        "is a key",
        "attribute of its own",
    ),
    "expiry in an index's text": (
        table(global_indexes=[by_status()], ttl={"attribute": "status"}),
        "table.ttl.attribute",
        "a type other than N",
        "type N",
    ),
    "an expiry nobody knows": (
        table(ttl={"attribute": "expires", "expiry": "never"}),
        "table.ttl.expiry",
        "not one of the allowed values",
        "'own' or 'delete'",
    ),
    # indexes
    "local indexes without a sort key": (
        {
            "table": {
                "name": "orders",
                "partition_key": attribute("customer"),
                "local_indexes": [by_time()],
            }
        },
        "table.local_indexes",
        "only on a table with a sort key",
        "table.sort_key",
    ),
    "21 global indexes": (
        table(global_indexes=[by_status(name=f"by-{at:03}") for at in range(21)]),
        "table.global_indexes",
        "21 entries, at most 20",
        "at most 20",
    ),
    "6 local indexes": (
        table(local_indexes=[by_time(name=f"by-{at:03}") for at in range(6)]),
        "table.local_indexes",
        "6 entries, at most 5",
        "at most 5",
    ),
    "INCLUDE without attributes": (
        table(global_indexes=[by_status(projection="INCLUDE")]),
        "table.global_indexes[0].attributes",
        "INCLUDE",
        "KEYS_ONLY or ALL",
    ),
    "attributes without INCLUDE": (
        table(local_indexes=[by_time(attributes=["total"])]),
        "table.local_indexes[0].attributes",
        "ALL has no list",
        "INCLUDE",
    ),
    "21 projected attributes": (
        table(global_indexes=[by_status(projection="INCLUDE", attributes=named(21))]),
        "table.global_indexes[0].attributes",
        "21 entries, at most 20",
        "at most 20",
    ),
    "101 projected attributes in all": (
        table(
            global_indexes=[
                by_status(name=f"by-{at}", projection="INCLUDE", attributes=named(20))
                for at in range(100, 105)
            ],
            local_indexes=[by_time(projection="INCLUDE", attributes=["total"])],
        ),
        "table.global_indexes",
        "project 101 attributes by name, and DynamoDB allows 100",
        "ALL or KEYS_ONLY",
    ),
    "a projected attribute without a name": (
        table(local_indexes=[by_time(projection="INCLUDE", attributes=[""])]),
        "table.local_indexes[0].attributes[0]",
        "1 to 255",
        "length",
    ),
    # billing
    "PROVISIONED without read": (
        table(billing={"mode": "PROVISIONED", "write": 5}),
        "table.billing.read",
        "capacity",
        "PAY_PER_REQUEST",
    ),
    "PROVISIONED without write": (
        table(billing={"mode": "PROVISIONED", "read": 5}),
        "table.billing.write",
        "capacity",
        "write capacity units",
    ),
    "capacity without PROVISIONED": (
        table(billing={"read": 5}),
        "table.billing.read",
        "no capacity",
        "PROVISIONED",
    ),
    "no capacity at all": (
        table(billing={"mode": "PROVISIONED", "read": 0, "write": 1}),
        "table.billing.read",
        "below",
        "1 or more",
    ),
    # members
    "no members": ({"members": []}, "members", "at least two members", "another region"),
    "one member": ({"members": TWO[:1]}, "members", "at least two members", "another region"),
    "a region twice": (
        {"members": [*TWO, TWO[0]]},
        "members[2]",
        "it is a duplicate: members[0]",
        "`name` and `account`",
    ),
    "a table twice under two names": (
        {"members": [*TWO, {"region": "us-east-1", "name": "again"}]},
        "members[2]",
        "it is a duplicate: members[0]",
        "another `table`",
    ),
    "a table that is another's tombstones": (
        {"members": [*TWO, {"region": "us-east-1", "name": "again", "table": "orders-tombstones"}]},
        "members[2]",
        "it is also a table of members[0] (us-east-1)",
        "another `table`",
    ),
    "a table twice, once with its account": (
        {"members": [*TWO, {"region": "us-east-1", "name": "again", "account": "123456789012"}]},
        "members[2]",
        "it is also a table of members[0] (us-east-1)",
        "another `table`",
    ),
    "a name twice": (
        {"members": [*TWO, {"region": "us-west-2", "name": "us-east-1"}]},
        "members[2]",
        "same name",
        "`name`",
    ),
    "a mistyped region": (
        member(region="eu-wset-1"),
        "members[1].region",
        "does not know this region",
        "Did you mean `eu-west-1`?",
    ),
    "a region with two letters swapped, and as near to another": (
        member(region="us-esat-1"),
        "members[1].region",
        "does not know this region",
        "Did you mean `us-east-1`?",
    ),
    "a mistyped region of another partition": (
        member(region="cn-nroth-1"),
        "members[1].region",
        "does not know this region",
        "Did you mean `cn-north-1`?",
    ),
    "a region that is opened some day": (
        member(region="us-east-9"),
        "members[1].region",
        "does not know this region",
        "a newer boto3 in requirements.in",
    ),
    "a region that is none": (
        member(region="eu-west1"),
        "members[1].region",
        "not the name of a region",
        "eu-west-1",
    ),
    "no keys for another partition": (
        in_china(writer_secret=None),
        "members[1].writer_secret",
        "starts at us-east-1 in partition aws, which cannot assume a role in aws-cn",
        "0005-other-partitions.md",
    ),
    "keys on the wrong side": (
        in_china(writer_secret={"arn": SECRET_THERE}),
        "members[1].writer_secret.arn",
        "is in partition aws-cn, but the hop that reads it is in aws",
        "a secret in aws, best in us-east-1",
    ),
    "keys that nobody reads": (
        member(writer_secret={"arn": SECRET}),
        "members[1].writer_secret",
        "no hop reads it: all members are in partition aws",
        "Remove it",
    ),
    "a secret's name for its ARN": (
        in_china(writer_secret={"arn": SECRET.removesuffix("-d4E5f6")}),
        "members[1].writer_secret.arn",
        "six characters",
        "describe-secret",
    ),
    "a key of another region than its secret's": (
        in_china(writer_secret={"arn": SECRET, "kms_key": KEY}),
        "members[1].writer_secret.kms_key",
        "the secret is in us-east-1",
        "the key in us-east-1",
    ),
    "a name unfit for a function": (member(name="a b"), "members[1].name", "functions", "letters"),
    "11 digits": (member(account="12345678901"), "members[1].account", "12 digits", "quotes"),
    "an account that is a number": (
        member(account=123456789012),
        "members[1].account",
        "text",
        "quotes",
    ),
    "a table's ARN for a stream's": (
        member(stream_arn="arn:aws:dynamodb:eu-west-1:123456789012:table/legacy"),
        "members[1].stream_arn",
        "not the ARN of a table's stream",
        "LatestStreamArn",
    ),
    "another region's stream": (
        member(stream_arn=STREAM.replace("eu-west-1", "us-west-2")),
        "members[1].stream_arn",
        "it is in us-west-2",
        "eu-west-1",
    ),
    "another table's stream": (
        member(stream_arn=STREAM, table="orders"),
        "members[1].stream_arn",
        "table `legacy`",
        "Remove members[1].table",
    ),
    "another account's stream": (
        member(stream_arn=STREAM, account="210987654321"),
        "members[1].stream_arn",
        "account 123456789012",
        "members[1].account",
    ),
    "another partition's stream": (
        member(stream_arn=STREAM.replace("arn:aws:", "arn:aws-cn:")),
        "members[1].stream_arn",
        "partition aws-cn",
        "arn:aws:",
    ),
    "an adopted name without room": (
        member(stream_arn=STREAM.replace("legacy", "l" * 245)),
        "members[1].stream_arn",
        "255",
        "244",
    ),
    "a role that is a user": (
        member(role="arn:aws:iam::123456789012:user/me"),
        "members[1].role",
        "not the ARN of a role",
        ":role/",
    ),
    "another account's role": (
        member(role=ROLE, account="210987654321"),
        "members[1].role",
        "account 123456789012",
        "210987654321",
    ),
    "another partition's role": (
        member(role=ROLE.replace("arn:aws:", "arn:aws-us-gov:")),
        "members[1].role",
        "partition aws-us-gov",
        "arn:aws:",
    ),
    "a profile with its brackets": (
        member(profile="[profile europe]"),
        "members[1].profile",
        "one word",
        "~/.aws/config",
    ),
    "an external id alone": (
        member(external_id="ring"),
        "members[1].external_id",
        "only used with `role`",
        "members[1].role",
    ),
    "an external id with a space": (
        member(role=ROLE, external_id="a b"),
        "members[1].external_id",
        "an external ID has 2 to 1224",
        "trust policy",
    ),
    "a key's alias": (
        member(kms_key="alias/orders"),
        "members[1].kms_key",
        "alias",
        ":key/",
    ),
    "another region's key": (
        member(kms_key=KEY.replace("eu-west-1", "us-east-1")),
        "members[1].kms_key",
        "it is in us-east-1",
        "eu-west-1",
    ),
    # tombstones
    "too few members that are in the ring": (
        member(state="bypassed"),
        "members[1].state",
        "fewer than two",
        "`state: in`",
    ),
    "two that rejoin one behind the other": (
        {"members": [*TWO, *({"region": f"us-west-{at}", "state": "rejoining"} for at in (1, 2))]},
        "members[2].state",
        "us-west-2 is rejoining too",
        "after the other",
    ),
    "two that rejoin with only a bypassed one between them": (
        {
            "members": [
                *TWO,
                {"region": "us-west-1", "state": "rejoining"},
                {"region": "eu-west-2", "state": "bypassed"},
                {"region": "us-west-2", "state": "rejoining"},
            ]
        },
        "members[2].state",
        "us-west-2 is rejoining too",
        "after the other",
    ),
    "an unknown state": (
        member(state="out"),
        "members[1].state",
        "not one of the allowed values",
        "bypassed",
    ),
    "a retention shorter than a lap": (
        {"tombstones": {"retention_days": 1}},
        "tombstones.retention_days",
        "24 hours at each of 2 members",
        "2 or more",
    ),
    "a retention without an end": (
        {"tombstones": {"retention_days": 1_000_000_000}},
        "tombstones.retention_days",
        "above the maximum of 36500",
        "36500 or less",
    ),
    "more members than the default retention has days": (
        {"members": [TWO[0], *({"region": f"ap-southeast-{at}"} for at in range(1, 8))]},
        "tombstones.retention_days",
        "8 members",
        "8 or more",
    ),
    # mapping and function
    "an endless batch": (
        {"mapping": {"batch_size": 10_001}},
        "mapping.batch_size",
        "above",
        "10000",
    ),
    "an empty batch": ({"mapping": {"batch_size": 0}}, "mapping.batch_size", "below", "1 or more"),
    "a long window": (
        {"mapping": {"batching_window": 301}},
        "mapping.batching_window",
        "above",
        "300 or less",
    ),
    "11 batches at once": (
        {"mapping": {"parallelization_factor": 11}},
        "mapping.parallelization_factor",
        "above",
        "10 or less",
    ),
    "a start at a time": (
        {"mapping": {"starting_position": "AT_TIMESTAMP"}},
        "mapping.starting_position",
        "not one of the allowed values",
        "'TRIM_HORIZON' or 'LATEST'",
    ),
    "retries below -1": ({"mapping": {"retries": -2}}, "mapping.retries", "below", "-1 or more"),
    "an age beyond the stream's": (
        {"mapping": {"record_age": 86_401}},
        "mapping.record_age",
        "above",
        "86400 or less",
    ),
    "an age below Lambda's": ({"mapping": {"record_age": 59}}, "mapping.record_age", "below", "60"),
    "a window that ages every record until it is discarded": (
        {"mapping": {"batching_window": 75, "record_age": 60}},
        "mapping.record_age",
        "discards records unread after 60 seconds",
        "Write 195 or more, or reduce mapping.batching_window or function.timeout",
    ),
    "a timeout that leaves no time for a second attempt": (
        {"mapping": {"record_age": 1799}, "function": {"timeout": 900}},
        "mapping.record_age",
        "two attempts of 900 seconds",
        "Write 1800 or more",
    ),
    "little memory": ({"function": {"memory": 64}}, "function.memory", "below", "128 or more"),
    "a long timeout": ({"function": {"timeout": 901}}, "function.timeout", "above", "900 or less"),
    "a log retention that CloudWatch lacks": (
        {"function": {"log_retention_days": 31}},
        "function.log_retention_days",
        "not one of the allowed values",
        "14, 30, 60",
    ),
    # hops and tags
    "no hops": ({"hops": []}, "hops", "empty", "Leave it out"),
    "a hop that starts nowhere": ({"hops": ["eu-west-2"]}, "hops[0]", "no member", "`eu-west-1`"),
    "a hop like no member": (
        {"hops": ["mars"]},
        "hops[0]",
        "no member",
        "`us-east-1`, `eu-west-1`",
    ),
    "a hop from either of two": (
        {
            "members": [
                {"region": "eu-west-1", "table": "orders-a"},
                {"region": "eu-west-1", "table": "orders-b"},
            ],
            "hops": ["eu-west-1"],
        },
        "hops[0]",
        "2 members are in eu-west-1",
        "`eu-west-1-orders-a` or `eu-west-1-orders-b`",
    ),
    "a tag of AWS's": ({"tags": {"aws:owner": "me"}}, "tags.aws:owner", "`aws:`", "another key"),
    "a tag that is a number": ({"tags": {"team": 7}}, "tags.team", "text", "quotes"),
    "a long tag": ({"tags": {"team": "x" * 257}}, "tags.team", "256", "Shorten"),
    "a tag of AWS's in another case": (
        {"tags": {"AWS:owner": "me"}},
        "tags.AWS:owner",
        "`aws:`",
        "key",
    ),
    "a tag's key with a character that AWS refuses": (
        {"tags": {"team#": "me"}},
        "tags.team#",
        "it contains '#'",
        "these characters",
    ),
    "a tag with a character that AWS refuses": (
        {"tags": {"team": "R&D (Kiel)"}},
        "tags.team",
        "it contains '&'",
        "these characters",
    ),
    "51 tags": (
        {"tags": {f"tag-{at}": "x" for at in range(51)}},
        "tags",
        "a resource can have 50 tags, and there are 51",
        "at most 50",
    ),
    "two tags that differ in case": (
        {"tags": {"Team": "a", "team": "b"}},
        "tags",
        "`Team` and `team` differ only in case",
        "Remove one",
    ),
}


EVERYTHING_WRONG: dict[str, object] = {
    "table": ORDERS | {"name": "x", "ttl": {"attribute": "customer"}},
    "members": [
        {"region": "nowhere"},
        {"region": "eu-west-1", "kms_key": KEY.replace("eu-west-1", "eu-west-2")},
        {"region": "eu-west-1"},
        {"region": "cn-north-1", "external_id": "ring"},
    ],
    "tombstones": {"retention_days": 3},
    "maping": {},
}


RIGHT: dict[str, dict[str, object]] = {
    "two partitions": in_china(writer_secret={"arn": SECRET}),
    "keys for the hop that comes when the member between is bypassed": {
        "members": [
            {"region": "us-east-1", "writer_secret": {"arn": SECRET_THERE}},
            {"region": "eu-west-1", "writer_secret": {"arn": SECRET_THERE}},
            {"region": "cn-north-1", "writer_secret": {"arn": SECRET}},
        ]
    },
    "an index shares the table's keys": table(
        global_indexes=[by_status(sort_key=attribute("order"))]
    ),
    "expiry in an index's number": table(
        global_indexes=[by_status(sort_key=attribute("expires", "N"))], ttl={"attribute": "expires"}
    ),
    "an adopted table with its name": member(stream_arn=STREAM, table="legacy"),
    "an adopted table whose name differs from the ring's": member(stream_arn=STREAM),
    "a stream, a role and a key in the member's account": member(
        stream_arn=STREAM, role=ROLE, kms_key=KEY, account="123456789012", external_id="ring"
    ),
    "one table name in two accounts of one region": {
        "members": [
            {"region": "eu-west-1"},
            {"region": "eu-west-1", "name": "other", "account": "210987654321", "profile": "other"},
        ]
    },
    "two tables in one region": {
        "members": [{"region": "eu-west-1"}, {"region": "eu-west-1", "table": "orders-b"}]
    },
    "a ring in China": {"members": [{"region": "cn-north-1"}, {"region": "cn-northwest-1"}]},
    "a short retention with tombstones off": {
        "tombstones": {"enabled": False, "retention_days": 1}
    },
    "days as many as members": {"tombstones": {"retention_days": 2}},
    "the longest name": table(name="o" * 244),
    "a window of none with a large batch": {"mapping": {"batch_size": 10_000}},
    "the attribute of heartbeats as a key, without heartbeats": table(
        sort_key=attribute("ring_heartbeat")
    ),
    "an age of a window and two attempts": {
        "mapping": {"batching_window": 300, "record_age": 2100},
        "function": {"timeout": 900},
    },
    "no retries": {"mapping": {"retries": 0}},
    "100 projected attributes in all": table(
        global_indexes=[
            by_status(name=f"by-{at}", projection="INCLUDE", attributes=named(20))
            for at in range(100, 105)
        ]
    ),
    "50 tags": {"tags": {f"tag-{at}": "" for at in range(50)}},
    "tags with all that AWS takes": {"tags": {"größe 1": "a.b:c/d=e+f-g@h_i Ⅷ"}},
    "an expiry that is switched off": table(ttl={"attribute": "expires", "enabled": False}),
}
