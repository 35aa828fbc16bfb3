"""Fixtures for tests of Pulumi's engine, and of the provider without it."""

from collections.abc import Iterator

import pytest

from local.clients import Accounts
from local.cloud.cloud import Cloud
from local.cloud.resources import Location
from local.endpoint.server import LocalServer
from tests.engine.connections import Connection
from tests.engine.provider.provider import EngineProvider
from tests.engine.stacks import Engine, running_engine


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Pulumi's engine with an empty AWS of its own, shared by the tests of a file."""
    with running_engine(tmp_path_factory.mktemp("engine")) as engine:
        yield engine


@pytest.fixture
def users_environment(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set what a user has set, and nothing of this machine's own."""
    for name, value in engine.users_environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with LocalServer() as server, Accounts(server.endpoint) as accounts:
        yield Cloud(accounts)


@pytest.fixture(scope="module")
def port(cloud: Cloud) -> Iterator[str]:
    with EngineProvider(cloud) as provider:
        yield provider.environment["PULUMI_DEBUG_PROVIDERS"].removeprefix("aws:")


@pytest.fixture(scope="module")
def ireland(port: str) -> Iterator[Connection]:
    connection = Connection(port).configured(region="eu-west-1")
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def place(cloud: Cloud) -> Location:
    return cloud.location({"region": "eu-west-1"})
