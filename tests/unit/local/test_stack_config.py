"""A stack's file, read as Pulumi reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.stack_config import StackConfig
from ring.settings.stack_file import StackFileError


def write(directory: Path, text: str, name: str = "dev") -> None:
    (directory / f"Pulumi.{name}.yaml").write_text(text)


def test_values_are_handed_over_as_pulumi_does(tmp_path: Path) -> None:
    write(
        tmp_path,
        "encryptionsalt: v1:abc\n"
        "config:\n"
        "  aws:region: eu-west-1\n"
        "  dynamodb-ring:table: {name: orders}\n"
        "  dynamodb-ring:hops: [a, b]\n"
        "  dynamodb-ring:number: 7\n"
        "  dynamodb-ring:on: true\n",
    )
    stack = StackConfig.read(tmp_path, "dev")
    assert stack.encoded() == {
        "aws:region": "eu-west-1",
        "dynamodb-ring:table": '{"name": "orders"}',
        "dynamodb-ring:hops": '["a", "b"]',
        "dynamodb-ring:number": "7",
        "dynamodb-ring:on": "true",
    }
    assert stack.settings == {
        "table": {"name": "orders"},
        "hops": ["a", "b"],
        "number": 7,
        "on": True,
    }


def test_a_stack_can_be_made_of_settings() -> None:
    stack = StackConfig.of({"table": {"name": "orders"}})
    assert stack.config == {"dynamodb-ring:table": {"name": "orders"}}
    assert stack.settings == {"table": {"name": "orders"}}


def test_a_stack_that_is_not_there_is_reported_with_those_that_are(tmp_path: Path) -> None:
    write(tmp_path, "config: {}", "dev")
    write(tmp_path, "config: {}", "prod")
    with pytest.raises(StackFileError, match=r"no Pulumi.live.yaml .* Stacks in it: dev, prod\."):
        StackConfig.read(tmp_path, "live")


@pytest.mark.parametrize(
    "value",
    [
        "{secure: AAABAJ=}",
        "{nested: {deep: {secure: AAABAJ=}}}",
        "[{secure: AAABAJ=}]",
    ],
)
def test_an_encrypted_value_is_reported_with_its_key(tmp_path: Path, value: str) -> None:
    write(tmp_path, f"config:\n  dynamodb-ring:table: {value}\n")
    with pytest.raises(
        StackFileError, match=r"dynamodb-ring:table is encrypted .* cannot decrypt it"
    ):
        StackConfig.read(tmp_path, "dev")


def test_an_attribute_that_is_named_secure_is_not_taken_for_an_encrypted_value(
    tmp_path: Path,
) -> None:
    write(tmp_path, "config:\n  dynamodb-ring:table: {name: orders, secure: x}\n")
    assert StackConfig.read(tmp_path, "dev").settings["table"]["secure"] == "x"


@pytest.mark.parametrize("text", ["", "name: x", "config:", "config: [1]", "- 1"])
def test_a_file_without_settings_is_reported(tmp_path: Path, text: str) -> None:
    write(tmp_path, text)
    with pytest.raises(StackFileError, match="has no mapping `config:`, which holds the settings"):
        StackConfig.read(tmp_path, "dev")


def test_a_file_that_is_not_yaml_is_reported(tmp_path: Path) -> None:
    write(tmp_path, "config: [")
    with pytest.raises(StackFileError, match=r"Cannot read .*Pulumi.dev.yaml: "):
        StackConfig.read(tmp_path, "dev")


@pytest.mark.parametrize(
    ("given", "function"),
    [
        ({}, {"log_items": True}),
        ({"function": {"memory": 512}}, {"log_items": True, "memory": 512}),
        ({"function": {"log_items": False}}, {"log_items": False}),
        ({"function": "small"}, "small"),
    ],
)
def test_a_default_takes_the_place_of_no_setting(
    given: dict[str, object], function: object
) -> None:
    stack = StackConfig.of({"table": {"name": "orders"}, **given})
    changed = stack.with_default("function", "log_items", value=True)
    assert changed.settings == {"table": {"name": "orders"}, "function": function}
