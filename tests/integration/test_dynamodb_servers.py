"""The servers that the tests start: skipped with the reason, or required; and never left behind."""

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ring.project import PROJECT_ROOT
from tests.support import dynamodb_servers
from tests.support.dynamodb_servers import DYNOXIDE, MINISTACK, Server

ABSENT = replace(DYNOXIDE, program=PROJECT_ROOT / "nowhere")


def test_a_test_on_a_server_that_is_not_there_is_skipped_with_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(dynamodb_servers.MUST_RUN, raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"`make dynamodb-servers`.* needs cargo"):
        dynamodb_servers._url_of(ABSENT)


def test_it_fails_where_the_servers_are_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(dynamodb_servers.MUST_RUN, "1")
    with pytest.raises(pytest.fail.Exception, match="no reason to skip"):
        dynamodb_servers._url_of(ABSENT)


def test_what_a_server_wrote_before_it_failed_is_reported() -> None:
    broken = Server("broken", Path("/bin/sh"), lambda _: ["-c", "echo 'too old'; exit 3"])
    with pytest.raises(RuntimeError, match="ended with status 3") as failure:
        dynamodb_servers.start(broken)
    assert failure.value.__notes__ == ["too old\n"]


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("name", ["DYNOXIDE", "MINISTACK"])
def test_a_server_ends_with_the_process_that_started_it_however_that_ends(
    name: str, end: signal.Signals
) -> None:
    dynamodb_servers._url_of({"DYNOXIDE": DYNOXIDE, "MINISTACK": MINISTACK}[name])  # or skip
    script = (
        "from tests.support import dynamodb_servers as servers; "
        f"print(servers.start(servers.{name}).url, flush=True); "
    )
    with subprocess.Popen(
        [sys.executable, "-c", script + "import time; time.sleep(600)"],
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as program:
        assert program.stdout
        port = int(program.stdout.readline().rpartition(":")[2])
        assert dynamodb_servers._answers(port)
        program.send_signal(end)
    patience = time.monotonic() + 60
    while dynamodb_servers._answers(port):
        assert time.monotonic() < patience, "it is still there"
        time.sleep(0.1)
