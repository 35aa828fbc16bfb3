"""What the command line imports before a command runs."""

import subprocess
import sys

from ring.project import PROJECT_ROOT

SLOW = {"local.cloud.validation", "pulumi_aws.s3.access_point", "moto", "starlette"}


def imported_by(code: str) -> set[str]:
    code = f"import sys, automate; {code}; print(*sys.modules, sep='\\n')"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    return set(run.stdout.split())


def test_no_command_waits_for_modules_that_only_another_needs() -> None:
    modules = imported_by("automate.main.commands['status']")
    assert "operate.deployed" in modules
    assert modules & {*SLOW, "commands.cost", "commands.trial"} == set()


def test_until_a_command_is_chosen_no_library_that_it_needs_is_imported() -> None:
    assert imported_by("pass") & {*SLOW, "pulumi", "botocore", "commands.cost"} == set()
