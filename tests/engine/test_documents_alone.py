"""Documents that deploy a ring of their own, followed in a clone, on the real engine."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ring.project import PROJECT_ROOT
from tests.engine.reading import follow, reading
from tests.engine.stacks import running_engine

pytestmark = pytest.mark.long

DOCUMENTS = ("docs/tutorial/first-ring.md", "examples/smallest/README.md")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_with_its_own_ring_works_as_written(document: str, tmp_path: Path) -> None:
    with running_engine(tmp_path) as engine, reading(engine, tmp_path) as reader:
        # A reader has copied the settings where the first block says so.
        for settings in (PROJECT_ROOT / document).parent.glob("Pulumi.*.yaml"):
            shutil.copy(settings, reader.folder)
        follow(reader, document, "test_documents_alone")
