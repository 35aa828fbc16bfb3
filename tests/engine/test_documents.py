"""The ring of the README, followed through the guides until it is uninstalled.

Each command is typed as the documents show it, in a clone, on the real engine.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engine.reading import follow, reading
from tests.engine.stacks import Engine
from tests.support.reader import Reader

pytestmark = pytest.mark.long

DOCUMENTS = (
    "README.md",
    "docs/how-to/deploy.md",
    "docs/how-to/watch.md",
    "docs/how-to/monitor.md",
    "docs/how-to/upgrade.md",
    "docs/how-to/uninstall.md",
)


@pytest.fixture(scope="module")
def reader(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    with reading(engine, tmp_path_factory.mktemp("reader")) as reader:
        yield reader


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_guide_works_as_written_on_the_ring_of_the_readme(reader: Reader, document: str) -> None:
    follow(reader, document, "test_documents")
