"""Every document, as somebody follows it who has a clone and nothing else.

Each block that is not marked is typed in, in order, in a clone of its own: the README, the
tutorial (docs/tutorial/first-ring.md) with its program, how-to guides and examples.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ring.project import PROJECT_ROOT
from tests.support.documents import Block, Command, blocks, documents
from tests.support.reader import URL, Reader, clone

pytestmark = pytest.mark.long


def typed(document: Path) -> list[Block]:
    """Return what a reader types and saves."""
    found = [block for block in blocks(document) if not block.needs]
    return [block for block in found if block.file or block.language == "console"]


FOLLOWED = [one for one in documents() if any(block.language == "console" for block in typed(one))]
LOCAL = "./automate.py local"
ORDERS = '{"customer": "ada", "order": "1", "total": 10}\n'
TUTORIAL = PROJECT_ROOT / "docs" / "tutorial" / "first-ring.md"


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    with Reader(clone(tmp_path / "clone")) as reader:
        yield reader


@pytest.mark.parametrize(
    "document", FOLLOWED, ids=lambda one: one.relative_to(PROJECT_ROOT).as_posix()
)
def test_what_a_document_shows_works_as_written(document: Path, reader: Reader) -> None:
    prepare(reader, document)
    for block in typed(document):
        reader.follow(block)


def prepare(reader: Reader, document: Path) -> None:
    """Do what a document takes for granted: the tutorial's program, and a ring with items."""
    first = next(block for block in typed(document) if block.language == "console")
    (reader.folder / "orders.jsonl").write_text(ORDERS)
    if document != TUTORIAL:
        reader.follow(next(block for block in blocks(TUTORIAL) if block.file == "orders.py"))
    if URL in first.text and LOCAL not in first.text and "make local" not in first.text:
        reader.type(Command(LOCAL))
        for region in ("us-east-1", "ap-southeast-2"):
            reader.type(Command(f".venv/bin/python orders.py put {region} {region} hello"))


def test_a_reader_notices_what_does_not_work_as_written(reader: Reader) -> None:
    block = Block("x.md", 1, "console", None, "$ ./automate.py validate --stack none\n")
    with pytest.raises(AssertionError, match="validate --stack none"):
        reader.follow(block)


def test_every_document_with_a_ring_to_try_is_followed() -> None:
    names = {document.name for document in FOLLOWED}
    assert {"first-ring.md", "rehearse.md", "redrive.md", "run-locally.md"} <= names
    assert PROJECT_ROOT / "README.md" in FOLLOWED
