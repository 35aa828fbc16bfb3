"""Clients for each member's account and region."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from operate.aws.clients import ClientPool
from operate.deployed import Credentials

REGIONS = ("us-east-1", "eu-west-1", "cn-north-1")


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A profile `ops` whose credentials come from a program, which notes each of its runs."""
    noted, program, config = (tmp_path / name for name in ("noted", "program.sh", "config"))
    answer = '{"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "b"}'
    program.write_text(f"echo run >> {noted}\necho '{answer}'\n")
    config.write_text(f"[profile ops]\ncredential_process = sh {program}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    return noted


def test_a_profile_is_asked_once_for_the_clients_of_all_regions(runs: Path) -> None:
    pool, ops = ClientPool(), Credentials(profile="ops")
    for region in REGIONS:
        for brief in (False, True):
            client = pool.get(ops, region, "dynamodb", brief=brief)
            assert client.meta.region_name == region
    assert runs.read_text() == "run\n"


def test_a_client_is_made_once_by_several_threads_at_once(runs: Path) -> None:
    pool, ops, got = ClientPool(), Credentials(profile="ops"), []
    threads = [
        threading.Thread(target=lambda: got.append(pool.get(ops, REGIONS[0], "s3")))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(client) for client in got}) == 1
