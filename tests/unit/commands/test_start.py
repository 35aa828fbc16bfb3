"""What the command line imports before a command runs."""

import subprocess
import sys

from ring.project import PROJECT_ROOT

SLOW = {"local.cloud.validation", "pulumi_aws.s3.access_point", "moto", "starlette"}


def test_no_command_waits_for_modules_that_only_another_needs() -> None:
    code = "import sys, automate; print(*sys.modules, sep='\\n')"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    modules = set(run.stdout.split())
    assert "operate.deployed" in modules
    assert modules & SLOW == set()
