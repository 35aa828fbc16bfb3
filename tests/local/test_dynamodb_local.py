"""DynamoDB Local as the project starts it: what it needs, and that it never stays behind."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from local import dynamodb_local as module
from local.dynamodb_local import DynamoDBLocal, DynamoDBLocalError
from tests.dynamodb_local import dynamodb_local

PROJECT = Path(__file__).parents[2]


def test_without_its_jars_it_says_how_to_fetch_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "JARS", tmp_path)
    with pytest.raises(DynamoDBLocalError, match=r"make dynamodb-local-jars fetches it\."):
        DynamoDBLocal().__enter__()


def test_without_java_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".ready").touch()
    monkeypatch.setattr(module, "JARS", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DynamoDBLocalError, match="install Java 17"):
        DynamoDBLocal().__enter__()


@pytest.fixture
def anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be started whether it is there or not."""
    monkeypatch.setattr(module, "what_is_missing", lambda: None)


@pytest.mark.usefixtures("anything")
def test_a_port_that_is_taken_is_told_with_the_way_to_another() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(DynamoDBLocalError, match=rf":{port}: .* PORT="):
            DynamoDBLocal(port).__enter__()


@pytest.mark.usefixtures("anything")
def test_what_it_wrote_before_it_failed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_command", lambda _: ["sh", "-c", "echo 'too old'; exit 3"])
    with pytest.raises(DynamoDBLocalError, match=r"ended with status 3:\ntoo old"):
        DynamoDBLocal().__enter__()


def is_up(url: str) -> bool:
    try:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
        connection.request("GET", "/")
        return connection.getresponse().status == 400
    except OSError:
        return False


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_it_ends_with_whoever_started_it_however_that_ends(end: signal.Signals) -> None:
    dynamodb_local()  # or skip
    with subprocess.Popen(
        [sys.executable, "-m", "local.dynamodb_local", "--port", "0"],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout
        url = next(line for line in program.stdout if "--dynamodb" in line).split()[-1]
        assert is_up(url)
        program.send_signal(end)
    patience = time.monotonic() + 60
    while is_up(url):
        assert time.monotonic() < patience, "it is still there"
        time.sleep(0.1)
