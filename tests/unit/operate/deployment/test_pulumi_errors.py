"""What the CLI says, in words that help."""

from __future__ import annotations

import json
from importlib import metadata

import pytest
from pulumi.automation._cmd import CommandResult
from pulumi.automation.errors import create_command_error

from operate.deployment.pulumi_errors import to_operate_error
from operate.errors import (
    InvalidRequestError,
    Note,
    OperateError,
    OperationFailedError,
    PrerequisiteError,
)
from ring.policies.kms_key import key_statements

# Texts of Pulumi v3.220.0, as it printed them; that of AWS is of pulumi-aws 7.
SAID: dict[str, tuple[type[OperateError], str]] = {
    "error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions": (
        PrerequisiteError,
        "PULUMI_BACKEND_URL",
    ),
    "error: getting stack configuration: get stack secrets manager: passphrase must be set with "
    "PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE environment variables": (
        PrerequisiteError,
        "Set PULUMI_CONFIG_PASSPHRASE",
    ),
    "error: getting stack configuration: get stack secrets manager: incorrect passphrase": (
        PrerequisiteError,
        "is not the passphrase",
    ),
    "error: could not create secrets manager for new stack: unable to read "
    "PULUMI_CONFIG_PASSPHRASE_FILE: open /nonexistent: no such file or directory": (
        PrerequisiteError,
        "names a file that cannot be read",
    ),
    "error: problem logging in: unable to open bucket file:///nonexistent?no_tmp_dir=true: stat "
    "/nonexistent: no such file or directory": (PrerequisiteError, "cannot be opened"),
    "error: problem logging in: MissingRegion: could not find region configuration": (
        PrerequisiteError,
        "?region=",
    ),
    "error: no stack named 'dev' found": (InvalidRequestError, "There is no stack dev"),
    "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to "
    "end or delete the lock file with `pulumi cancel`.\n"
    "  file:///state/lock.json: created by ada@host (pid 7) at 2026-01-01T00:00:00Z": (
        OperationFailedError,
        "pid 7",
    ),
    "error: something else": (OperationFailedError, "something else"),
}


@pytest.mark.parametrize("said", SAID)
def test_what_the_cli_says_is_reported_with_what_to_do(said: str) -> None:
    kind, words = SAID[said]
    error = to_operate_error(create_command_error(CommandResult("", said, 255)), "dev")
    assert type(error) is kind
    assert words in str(error)


def test_what_a_provider_said_is_the_reason_of_a_failure() -> None:
    notes = [Note("error", "Table already exists: orders", "ring-us-east-1"), Note("info", "hello")]
    failure = create_command_error(CommandResult("", "error: update failed", 255))
    error = to_operate_error(failure, "dev", notes)
    assert str(error) == "ring-us-east-1: Table already exists: orders"


@pytest.mark.parametrize(
    ("said", "number"),
    [
        (
            "Could not automatically download and install resource plugin 'pulumi-resource-aws' at "
            "version v7.29.0, install the plugin using `pulumi plugin install resource aws "
            "v7.29.0`: error downloading provider aws to file",
            "7.29.0",
        ),
        (
            "no resource plugin 'pulumi-resource-aws' found in the workspace at version v7.1.0 or "
            "on your $PATH",
            "7.1.0",
        ),
        (
            "Could not automatically download and install resource plugin 'pulumi-resource-aws', "
            "install the plugin using `pulumi plugin install resource aws`: no network",
            metadata.version("pulumi-aws"),
        ),
    ],
)
def test_a_plugin_that_is_not_there_is_something_missing_of_that_version(
    said: str, number: str
) -> None:
    notes = [Note("error", said, "ring-us-east-1")]
    failure = create_command_error(CommandResult("", "error: update failed", 255))
    error = to_operate_error(failure, "dev", notes)
    assert isinstance(error, PrerequisiteError)
    assert f"plugin aws {number} is not installed" in str(error)
    assert f"`pulumi plugin install resource aws v{number}`" in str(error)


def test_missing_credentials_are_something_missing_not_a_failure() -> None:
    notes = [Note("error", "No valid credential sources found. Please see ...", "ring-us-east-1")]
    failure = create_command_error(CommandResult("", "error: update failed", 255))
    assert isinstance(to_operate_error(failure, "dev", notes), PrerequisiteError)


def test_a_key_that_logs_cannot_be_encrypted_with_is_reported_with_what_its_policy_lacks() -> None:
    group = "arn:aws:logs:eu-west-1:111122223333:log-group:ring-eu-west-1-to-us-east-1-0123456"
    said = (
        "creating CloudWatch Logs Log Group: AccessDeniedException: The specified KMS key does not "
        f"exist or is not allowed to be used with Arn '{group}'"
    )
    failure = create_command_error(CommandResult("", "error: update failed", 255))
    error = str(to_operate_error(failure, "dev", [Note("error", said, "ring-eu-west-1")]))

    assert error.startswith(f"ring-eu-west-1: {said}\n")
    assert json.loads(error[error.index("[") :]) == key_statements("eu-west-1", "111122223333")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("api error AuthFailure: AWS was not able to validate the provided", "is not enabled"),
        ("The configured AWS credentials are invalid or have expired.", "is not enabled"),
        ("Failed to refresh cached SSO credentials.", "aws sso login"),
        (
            "decreases account's UnreservedConcurrentExecution below its minimum value of [10].",
            "Service Quotas",
        ),
        ("ThrottlingException: Rate exceeded", "Wait a minute"),
    ],
)
def test_an_error_of_a_new_account_is_reported_with_one_advice(said: str, words: str) -> None:
    notes = [Note("error", said, "ring-eu-west-1")]
    failure = create_command_error(CommandResult("", "error: update failed", 255))
    error = to_operate_error(failure, "dev", notes)
    assert isinstance(error, OperationFailedError)
    assert words in error.advice
    assert str(error) == f"ring-eu-west-1: {said}\n{error.advice}"
    assert "\n" not in error.advice
