"""The archives that Lambda gets: unpacked and imported as Lambda does it, in a clean process."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from local.cloud.resources.archive import zip_archive
from ring.resources.lambda_archive import lambda_archive

WORKER = "operate.distributed.worker"
ENTRIES = {"handler.app.handle": "", f"{WORKER}.handle": WORKER}
# Lambda's runtime has botocore outside of the archive; -I leaves out the folder this runs in.
PROGRAM = """
import importlib, sys
sys.path.insert(0, sys.argv[1])
module, _, name = sys.argv[2].rpartition(".")
assert callable(getattr(importlib.import_module(module), name))
print(*sorted(name for name in sys.modules if name.partition(".")[0] == "operate"))
"""


def loaded(handler: str, folder: Path) -> list[str]:
    """Unpack an archive, import its handler, and return the modules of operate/ that this loads."""
    archive = zip_archive(lambda_archive("handler", ENTRIES[handler]))
    zipfile.ZipFile(io.BytesIO(archive)).extractall(folder)
    command = [sys.executable, "-I", "-c", PROGRAM, str(folder), handler]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return run.stdout.split()


@pytest.mark.parametrize("handler", ENTRIES)
def test_the_handler_is_found_in_the_archive_alone(handler: str, tmp_path: Path) -> None:
    loaded(handler, tmp_path)


def test_a_hops_archive_has_nothing_of_the_operations() -> None:
    assert {name.partition("/")[0] for name in lambda_archive("handler").assets} == {"handler"}


def test_the_workers_archive_has_what_the_worker_imports_and_no_more(tmp_path: Path) -> None:
    names = (Path(name).with_suffix("") for name in lambda_archive("handler", WORKER).assets)
    packed = {".".join(name.parts).removesuffix(".__init__") for name in names}
    operate = {name for name in packed if name.partition(".")[0] == "operate"}
    assert operate == set(loaded(f"{WORKER}.handle", tmp_path))
    assert {name.partition(".")[0] for name in packed} == {"handler", "operate"}


def test_what_a_package_below_the_first_level_holds_is_packed() -> None:
    assert "handler/protocol/replicate.py" in lambda_archive("handler").assets
