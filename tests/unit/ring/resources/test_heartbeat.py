"""What makes a heart beat: a key of each member's own, and a rule that may call one function."""

from __future__ import annotations

import base64

import pytest

from ring.resources.heartbeat import heartbeat_key
from ring.settings.members import Member
from ring.settings.sections import TableSettings
from ring.settings.settings import Settings, SettingsError
from tests.support.pulumi_mocks import OUT, config, deployed

HERE, THERE = Member("a", "us-east-1", "orders"), Member("b", "eu-west-1", "orders")
ON = {"enabled": True, "every": 5}


def table(*types: str) -> TableSettings:
    names = ("partition_key", "sort_key")
    keys = {name: {"name": name, "type": kind} for name, kind in zip(names, types, strict=False)}
    return TableSettings.model_validate({"name": "orders", **keys})


def test_a_key_of_text_begins_with_what_is_reserved_and_is_the_members_own() -> None:
    assert heartbeat_key(table("S"), HERE) == {"partition_key": {"S": f"_repl_heartbeat-{HERE.id}"}}
    assert heartbeat_key(table("S"), HERE) != heartbeat_key(table("S"), THERE)


def test_a_key_of_binary_is_that_text_in_base64_as_in_a_stream() -> None:
    key = heartbeat_key(table("S", "B"), HERE)["sort_key"]
    assert base64.b64decode(key["B"]) == f"_repl_heartbeat-{HERE.id}".encode()


def test_a_key_of_numbers_has_the_38_digits_that_dynamodb_takes_and_is_the_members_own() -> None:
    numbers = {heartbeat_key(table("N"), member)["partition_key"]["N"] for member in (HERE, THERE)}
    assert len(numbers) == 2
    for number in numbers:
        assert number.startswith("-" + "9" * 28)
        assert len(number.removeprefix("-")) == 38
        assert number[1:].isdecimal()


def test_a_rule_calls_the_hops_function_at_its_rate() -> None:
    seen = deployed(heartbeat=ON)
    rule, target = seen.one("EventRule", OUT), seen.one("EventTarget", OUT)

    assert rule.inputs["scheduleExpression"] == "rate(5 minutes)"
    assert target.inputs["rule"] == f"{OUT}-a1b2c3"
    assert target.inputs["arn"].endswith(f":function:{OUT}-a1b2c3")
    assert target.inputs["input"] == '{"beat": true}'


def test_one_minute_is_written_in_the_singular() -> None:
    seen = deployed(heartbeat={"enabled": True}).one("EventRule", OUT)
    assert seen.inputs["scheduleExpression"] == "rate(1 minute)"


def test_no_other_rule_may_call_the_function() -> None:
    seen = deployed(heartbeat=ON)
    permission = seen.one("Permission", OUT).inputs

    assert permission["action"] == "lambda:InvokeFunction"
    assert permission["principal"] == "events.amazonaws.com"
    assert permission["function"] == f"{OUT}-a1b2c3"
    assert permission["sourceArn"] == f"arn:aws:events:us-east-1:123456789012:rule/{OUT}-a1b2c3"


def test_a_heart_is_still_unless_it_is_switched_on() -> None:
    still, beating = deployed(), deployed(heartbeat=ON)
    for kind in ("EventRule", "EventTarget", "Permission"):
        assert (len(still.all(kind)), len(beating.all(kind))) == (0, 2)


@pytest.mark.parametrize("every", [0, 1441, 1.5])
def test_what_is_no_whole_number_of_minutes_is_refused(every: float) -> None:
    with pytest.raises(SettingsError, match=r"heartbeat\.every"):
        Settings.parse(config(heartbeat={"enabled": True, "every": every}))
