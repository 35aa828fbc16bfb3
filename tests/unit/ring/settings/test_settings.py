"""What wrong settings are answered with, and what right ones become."""

from __future__ import annotations

import json

import pulumi
import pytest

from ring.settings.settings import SettingProblem, Settings, SettingsError, read_settings
from tests.support import invalid_distributed, invalid_settings, invalid_watch
from tests.support.invalid_settings import EVERYTHING_WRONG
from tests.support.pulumi_mocks import TWO, config

WRONG = invalid_settings.WRONG | invalid_watch.WRONG | invalid_distributed.WRONG
RIGHT = invalid_settings.RIGHT | invalid_watch.RIGHT | invalid_distributed.RIGHT


def mistakes(sections: dict[str, object]) -> list[SettingProblem]:
    with pytest.raises(SettingsError) as told:
        Settings.parse(config(**sections))
    return told.value.problems


@pytest.mark.parametrize(("sections", "key", "reason", "remedy"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_setting_is_told_alone_with_its_key_the_reason_and_the_way_out(
    sections: dict[str, object], key: str, reason: str, remedy: str
) -> None:
    (mistake,) = mistakes(sections)

    assert mistake.key == key
    assert reason in mistake.reason
    assert remedy in mistake.remedy


def test_a_mistake_carries_the_value_that_was_found() -> None:
    (mistake,) = mistakes({"mapping": {"retries": -5}})

    assert mistake.value == -5


def test_a_missing_section_is_told() -> None:
    with pytest.raises(SettingsError) as told:
        Settings.parse({})

    assert [mistake.key for mistake in told.value.problems] == ["table", "members"]


def test_all_mistakes_are_told_at_once_though_one_member_is_itself_wrong() -> None:
    assert {mistake.key for mistake in mistakes(EVERYTHING_WRONG)} == {
        "table.name",
        "members[0].region",
        "members[1].kms_key",
        "members[2]",
        "members[3].external_id",
        "tombstones.retention_days",
        "maping",
    }


def test_the_error_reads_as_a_list_of_every_mistake() -> None:
    with pytest.raises(SettingsError) as told:
        Settings.parse(config(**EVERYTHING_WRONG))

    text = str(told.value)
    assert text.startswith("7 mistakes in the settings, nothing was deployed.")
    for mistake in told.value.problems:
        assert f"{mistake.key}: " in text
        assert mistake.reason in text
        assert mistake.remedy in text
    assert 'members[0].region: "nowhere"' in text


def test_a_value_that_is_missing_is_shown_as_not_given_and_a_long_one_is_cut() -> None:
    assert "region: not given" in str(SettingProblem("region", None, "why", "then"))
    assert str(SettingProblem("name", "o" * 300, "why", "then")).splitlines()[0].endswith("ooo...")


def test_pulumi_prints_the_error_without_a_traceback() -> None:
    assert issubclass(SettingsError, pulumi.RunError)


def test_two_regions_and_a_key_are_enough() -> None:
    settings = Settings.parse(config())

    assert settings.table.billing.mode == "PAY_PER_REQUEST"
    assert settings.table.point_in_time_recovery
    assert settings.table.deletion_protection
    assert settings.tombstones.enabled
    assert settings.tombstones.retention_days == 7
    assert settings.mapping.starting_position == "TRIM_HORIZON"
    assert settings.mapping.retries == -1
    assert settings.mapping.record_age == 23 * 60 * 60
    assert settings.hops is None


@pytest.mark.parametrize("sections", RIGHT.values(), ids=RIGHT.keys())
def test_what_is_right_is_taken(sections: dict[str, object]) -> None:
    Settings.parse(config(**sections))


def test_settings_cannot_be_changed_afterwards() -> None:
    settings = Settings.parse(config())

    with pytest.raises(ValueError, match="frozen"):
        settings.table = settings.table


def test_the_settings_come_from_the_stacks_configuration() -> None:
    stack = {f"dynamodb-ring:{key}": json.dumps(value) for key, value in config().items()}
    pulumi.runtime.set_all_config(stack | {"aws:region": "us-east-1"})

    assert read_settings() == Settings.parse(config())


def test_the_settings_come_from_the_environment_that_pulumi_sets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stack = {f"dynamodb-ring:{key}": json.dumps(value) for key, value in config().items()}
    pulumi.runtime.set_all_config({})
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps(stack))

    assert read_settings() == Settings.parse(config())


def test_a_misspelt_key_of_the_configuration_is_told_with_the_nearest_one() -> None:
    stack = {f"dynamodb-ring:{key}": json.dumps(value) for key, value in config().items()}
    pulumi.runtime.set_all_config(stack | {"dynamodb-ring:hop": "us-east-1"})

    with pytest.raises(SettingsError, match="Did you mean `hops`"):
        read_settings()


@pytest.mark.parametrize(
    ("sections", "seconds"),
    [
        ({}, 300),
        ({"mapping": {"record_age": 400}}, 200),
        ({"watch": {"iterator_age": 90}}, 90),
    ],
)
def test_somebody_is_told_before_a_record_that_lags_is_given_up(
    sections: dict[str, object], seconds: int
) -> None:
    settings = Settings.parse(config(**sections))

    assert settings.watch.max_lag_seconds(settings.mapping) == seconds
    assert seconds < settings.mapping.record_age


def test_where_a_member_is_wrong_it_is_not_said_that_topics_are_missing() -> None:
    topics = [invalid_watch.HERE, invalid_watch.ELSEWHERE]
    told = mistakes({"members": [TWO[0], {"region": "nowhere"}], "watch": {"topics": topics}})

    assert [mistake.key for mistake in told] == ["members[1].region"]


def test_where_the_part_stands_is_judged_though_the_hops_are_wrong() -> None:
    told = mistakes({"hops": ["nowhere"], "distributed": {"enabled": True, "at": "mars"}})

    assert {mistake.key for mistake in told} == {"hops[0]", "distributed.at"}


def test_the_part_may_stand_at_a_member_that_is_itself_wrong() -> None:
    members = [*TWO, {"region": "nowhere", "name": "mars"}]
    told = mistakes({"members": members, "distributed": {"enabled": True, "at": "mars"}})

    assert [mistake.key for mistake in told] == ["members[2].region"]
