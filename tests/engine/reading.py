"""Somebody who follows a document that needs an AWS account, in a clone, on the engine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ring.project import PROJECT_ROOT
from tests.engine.cli import pulumi_command
from tests.engine.stacks import Engine
from tests.support.documents import blocks
from tests.support.reader import Reader, clone


@contextmanager
def reading(engine: Engine, folder: Path) -> Iterator[Reader]:
    """Yield somebody with a clone, credentials and the CLI."""
    path = f"{Path(pulumi_command().command).parent}{os.pathsep}{os.environ['PATH']}"
    with Reader(clone(folder / "clone"), {**engine.users_environment, "PATH": path}) as reader:
        yield reader


def follow(reader: Reader, document: str, test: str) -> None:
    """Save the files of a document, and type what a test of this name runs."""
    for block in blocks(PROJECT_ROOT / document):
        if block.file and not block.needs:
            reader.follow(block)
        if f"tests/engine/{test}.py" not in block.tests:
            continue
        for command in block.commands():
            if not command.text.startswith("aws "):  # no function replicates what it would write
                reader.type(command)
