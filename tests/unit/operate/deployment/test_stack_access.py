"""Errors of Pulumi's CLI, with what is known of the stack's file."""

from pathlib import Path

import pytest
from pulumi.automation._cmd import CommandResult
from pulumi.automation.errors import create_command_error

from operate.deployment.config_source import StateBackend
from operate.deployment.stack_access import StackAccess

NO_BACKEND = "error: PULUMI_ACCESS_TOKEN must be set for login"
NO_STACK = "error: no stack named 'nosuch' found"
FAILED = "error: something else"


def text_of(folder: Path | None, stderr: str) -> str:
    """Return the text of an error for the stack `nosuch` of a project's folder."""
    error = create_command_error(CommandResult(stdout="", stderr=stderr, code=1))
    access = StackAccess("nosuch", folder, StateBackend())
    return str(access.to_operate_error(error))


@pytest.mark.parametrize(
    ("stderr", "then"),
    [(NO_BACKEND, "No state backend is configured."), (NO_STACK, "There is no stack nosuch")],
)
def test_a_missing_stack_file_is_named_before_what_the_backend_lacks(
    tmp_path: Path, stderr: str, then: str
) -> None:
    (tmp_path / "Pulumi.prod.yaml").touch()
    missing = f"There is no Pulumi.nosuch.yaml in {tmp_path}. Stacks in it: prod."
    assert text_of(tmp_path, stderr).startswith(f"{missing} {then}")


@pytest.mark.parametrize("stderr", [NO_BACKEND, NO_STACK])
def test_a_stack_with_a_file_or_without_a_folder_needs_none(tmp_path: Path, stderr: str) -> None:
    (tmp_path / "Pulumi.nosuch.yaml").touch()
    assert "Pulumi.nosuch.yaml" not in text_of(tmp_path, stderr)
    assert "Pulumi.nosuch.yaml" not in text_of(None, stderr)


def test_an_operation_that_fails_does_not_name_the_file(tmp_path: Path) -> None:
    assert text_of(tmp_path, FAILED) == "something else"
