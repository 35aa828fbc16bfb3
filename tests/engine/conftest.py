"""What the tests of the real engine stand on."""

from collections.abc import Iterator

import pytest

from tests.engine.stacks import Engine, running_engine


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The engine, alone with an empty AWS, for the tests of one file."""
    with running_engine(tmp_path_factory.mktemp("engine")) as engine:
        yield engine
