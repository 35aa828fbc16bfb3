"""Settings given on the command line."""

from __future__ import annotations

import re
from typing import Any

import pytest

from automate import main
from commands.options.ring_config import config_of, key, member, put
from operate.errors import InvalidRequestError
from ring.settings.sections import MemberSettings
from ring.settings.settings import Settings


def test_a_whole_ring_can_be_described() -> None:
    config = config_of(
        table={"name": "orders", "key": "customer:S", "sort": "order:N", "ttl": "expires"},
        members=["us-east-1", "eu-west-1:orders-eu,profile=europe,name=eu"],
        tags=["team=orders", "note=a=b"],
        more=["tombstones.retention_days=10", "table.ttl.expiry=delete", "hops=[us-east-1, eu]"],
    )
    assert config == {
        "table": {
            "name": "orders",
            "partition_key": {"name": "customer", "type": "S"},
            "sort_key": {"name": "order", "type": "N"},
            "ttl": {"attribute": "expires", "expiry": "delete"},
        },
        "members": [
            {"region": "us-east-1"},
            {"region": "eu-west-1", "table": "orders-eu", "profile": "europe", "name": "eu"},
        ],
        "tags": {"team": "orders", "note": "a=b"},
        "tombstones": {"retention_days": 10},
        "hops": ["us-east-1", "eu"],
    }
    assert Settings.parse(config).tombstones.retention_days == 10


def test_every_section_and_setting_can_be_reached_by_set() -> None:
    config: dict[str, Any] = {}
    for name, field in Settings.model_fields.items():
        put(config, name, field.default)
    assert set(config) == set(Settings.model_fields)


# path, value, before -> after
PUT: dict[str, tuple[str, object, dict[str, Any], dict[str, Any]]] = {
    "a section": ("mapping", {"retries": 3}, {}, {"mapping": {"retries": 3}}),
    "within a section": ("mapping.retries", 3, {"mapping": {}}, {"mapping": {"retries": 3}}),
    "instead of another": ("tags.a", "2", {"tags": {"a": "1"}}, {"tags": {"a": "2"}}),
    "in a list": (
        "members[1].name",
        "eu",
        {"members": [{}, {"region": "x"}]},
        {"members": [{}, {"region": "x", "name": "eu"}]},
    ),
    "at the end of a list": ("members[0].region", "x", {}, {"members": [{"region": "x"}]}),
    "a list's own value": ("hops[0]", "x", {}, {"hops": ["x"]}),
}


@pytest.mark.parametrize("case", PUT)
def test_a_value_is_put_where_its_path_leads(case: str) -> None:
    path, value, config, after = PUT[case]
    put(config, path, value)
    assert config == after


@pytest.mark.parametrize("path", ["", ".a", "a..b", "a[x]", "members[5].name", "table[0]", "a]b"])
def test_a_path_that_leads_nowhere_is_reported(path: str) -> None:
    with pytest.raises(InvalidRequestError, match="--set"):
        put({"members": [{}], "table": {}}, path, 1)


@pytest.mark.parametrize(
    ("text", "instead"),
    [("id", "id:S"), ("id:", "id:S"), ("id:n", "id:N"), ("a:name", "a:name:S"), ("id:X", "id:X:S")],
)
def test_a_key_without_a_type_is_answered_with_how_to_write_it(text: str, instead: str) -> None:
    for option in ("--key", "--sort"):
        with pytest.raises(InvalidRequestError) as caught:
            key(text, option)
        assert f"as in {option} {instead} (S: text, N: number, B: binary)" in str(caught.value)


def test_a_keys_name_may_have_colons() -> None:
    assert key("a:b:S") == {"name": "a:b", "type": "S"}


@pytest.mark.parametrize(
    ("option", "text"),
    [("members", "eu-west-1,profle=x"), ("members", "eu-west-1,profile"), ("tags", "team")],
)
def test_what_has_no_form_is_reported(option: str, text: str) -> None:
    given: dict[str, Any] = {"table": {}, "members": [], "tags": [], "more": []}
    with pytest.raises(InvalidRequestError, match=r"profile=europe|team=orders|`profile`"):
        config_of(**{**given, option: [text]})


def test_a_member_names_what_else_it_has() -> None:
    assert member("eu-west-1,role=arn:aws:iam::1:role/x") == {
        "region": "eu-west-1",
        "role": "arn:aws:iam::1:role/x",
    }


def test_what_is_on_or_off_of_a_member_is_no_text_and_an_account_is_no_number() -> None:
    parsed = member("eu-west-1,paused=true,account=012345678901")
    assert parsed == {"region": "eu-west-1", "paused": True, "account": "012345678901"}
    table = {"name": "orders", "key": "id:S"}
    both = ["us-east-1", "eu-west-1,paused=true"]
    settings = Settings.parse(config_of(table=table, members=both, tags=[], more=[]))
    assert [one.paused for one in settings.members] == [False, True]


def test_what_is_no_value_of_a_member_is_reported_with_the_member() -> None:
    with pytest.raises(
        InvalidRequestError, match=r"--member eu-west-1,paused=\[: '\[' is no value in YAML"
    ):
        member("eu-west-1,paused=[")


def test_a_section_of_a_member_is_left_to_set() -> None:
    with pytest.raises(InvalidRequestError, match=r"--set members\[1\]\.writer_secret\.arn="):
        member("cn-north-1,writer_secret=arn:aws-cn:secretsmanager:x")


def test_all_of_a_member_is_named_in_the_help() -> None:
    (option,) = (one for one in main.commands["validate"].params if one.name == "member")
    named = set(re.findall(r"\w+", getattr(option, "help", "")))
    assert set(MemberSettings.model_fields) - {"region", "table"} <= named
