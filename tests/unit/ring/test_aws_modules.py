"""Programs of several rings run in threads of one process, which nothing was loaded in before."""

import re
import subprocess
import sys

from ring.aws_modules import MODULES
from ring.project import PROJECT_ROOT

PROGRAM = """
import threading
import pulumi_aws as aws
from ring.aws_modules import load_aws_modules

ready = threading.Barrier(6)
found = []

def program():
    ready.wait()
    load_aws_modules()
    found.append(aws.cloudwatch.LogGroup)

threads = [threading.Thread(target=program) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(found))
"""


def test_no_thread_finds_a_module_half_loaded() -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (run.stdout, run.stderr) == ("6\n", "")


def test_every_module_that_a_component_uses_is_loaded() -> None:
    source = "".join(file.read_text() for file in (PROJECT_ROOT / "ring").rglob("*.py"))
    used = set(re.findall(r"\baws\.([a-z0-9]+_?)\.[A-Z]", source))
    assert used == {module.__name__.rpartition(".")[2] for module in MODULES}
