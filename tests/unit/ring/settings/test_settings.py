"""Errors for invalid settings, and the result of valid ones."""

from __future__ import annotations

import json

import pulumi
import pytest

from ring.settings.settings import SettingProblem, Settings, SettingsError, read_settings
from tests.support import invalid_distributed, invalid_monitoring, invalid_settings
from tests.support.invalid_settings import EVERYTHING_WRONG
from tests.support.pulumi_mocks import TWO, config

WRONG = invalid_settings.WRONG | invalid_monitoring.WRONG | invalid_distributed.WRONG
RIGHT = invalid_settings.RIGHT | invalid_monitoring.RIGHT | invalid_distributed.RIGHT


def problems(sections: dict[str, object]) -> list[SettingProblem]:
    with pytest.raises(SettingsError) as error:
        Settings.parse(config(**sections))
    return error.value.problems


@pytest.mark.parametrize(("sections", "key", "reason", "remedy"), WRONG.values(), ids=WRONG.keys())
def test_an_invalid_setting_is_one_error_with_its_path_a_reason_and_a_fix(
    sections: dict[str, object], key: str, reason: str, remedy: str
) -> None:
    (problem,) = problems(sections)

    assert problem.key == key
    assert reason in problem.reason
    assert remedy in problem.remedy


def test_an_error_has_the_value_that_was_found() -> None:
    (problem,) = problems({"mapping": {"retries": -5}})

    assert problem.value == -5


def test_a_missing_section_is_an_error() -> None:
    with pytest.raises(SettingsError) as error:
        Settings.parse({})

    assert [problem.key for problem in error.value.problems] == ["table", "members"]


def test_all_errors_are_reported_at_once_although_one_member_is_invalid() -> None:
    assert {problem.key for problem in problems(EVERYTHING_WRONG)} == {
        "table.name",
        "members[0].region",
        "members[1].kms_key",
        "members[2]",
        "members[3].external_id",
        "tombstones.retention_days",
        "maping",
    }


def test_the_text_lists_every_error_with_setting_reason_and_fix() -> None:
    with pytest.raises(SettingsError) as error:
        Settings.parse(config(**EVERYTHING_WRONG))

    text = str(error.value)
    assert text.startswith("7 errors in the settings, nothing was deployed.")
    for problem in error.value.problems:
        assert f"{problem.key}: " in text
        assert f"    reason: {problem.reason}\n    fix:    {problem.remedy}\n" in text
    assert 'members[0].region: "nowhere"' in text


def test_a_missing_value_is_shown_as_not_set_and_a_long_one_is_cut() -> None:
    assert "region: not set" in str(SettingProblem("region", None, "reason", "fix"))
    assert (
        str(SettingProblem("name", "o" * 300, "reason", "fix")).splitlines()[0].endswith("ooo...")
    )


def test_pulumi_prints_the_error_without_a_traceback() -> None:
    assert issubclass(SettingsError, pulumi.RunError)


def test_two_regions_and_a_partition_key_are_enough() -> None:
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
def test_valid_settings_are_accepted(sections: dict[str, object]) -> None:
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


def test_a_misspelled_key_of_the_configuration_is_an_error_with_a_suggestion() -> None:
    stack = {f"dynamodb-ring:{key}": json.dumps(value) for key, value in config().items()}
    pulumi.runtime.set_all_config(stack | {"dynamodb-ring:hop": "us-east-1"})

    with pytest.raises(SettingsError, match="Did you mean `hops`"):
        read_settings()


@pytest.mark.parametrize(
    ("sections", "seconds"),
    [
        ({}, 300),
        ({"mapping": {"record_age": 400}}, 200),
        ({"monitoring": {"iterator_age": 90}}, 90),
    ],
)
def test_the_lag_alarm_goes_off_before_a_record_goes_to_the_quarantine(
    sections: dict[str, object], seconds: int
) -> None:
    settings = Settings.parse(config(**sections))

    assert settings.monitoring.max_lag_seconds(settings.mapping) == seconds
    assert seconds < settings.mapping.record_age


def test_the_record_age_is_not_checked_while_the_timeout_is_invalid() -> None:
    found = problems({"mapping": {"record_age": 60}, "function": {"timeout": 901}})

    assert [problem.key for problem in found] == ["function.timeout"]


def test_topics_are_not_checked_while_a_member_is_invalid() -> None:
    topics = [invalid_monitoring.HERE, invalid_monitoring.ELSEWHERE]
    found = problems({"members": [TWO[0], {"region": "nowhere"}], "monitoring": {"topics": topics}})

    assert [problem.key for problem in found] == ["members[1].region"]


def test_the_member_of_distributed_is_checked_although_the_hops_are_invalid() -> None:
    found = problems({"hops": ["nowhere"], "distributed": {"enabled": True, "at": "mars"}})

    assert {problem.key for problem in found} == {"hops[0]", "distributed.at"}


def test_distributed_may_run_at_a_member_that_has_another_error() -> None:
    members = [*TWO, {"region": "nowhere", "name": "mars"}]
    found = problems({"members": members, "distributed": {"enabled": True, "at": "mars"}})

    assert [problem.key for problem in found] == ["members[2].region"]
