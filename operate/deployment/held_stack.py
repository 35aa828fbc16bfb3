"""Hold exactly the bypassed members in a stack; for a preview, in a copy of it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pulumi.automation import Stack
from pulumi.runtime.config import set_all_config

from operate.deployment.backend import backend_from
from operate.deployment.pulumi_cli import Cli
from operate.deployment.workspace import (
    Program,
    Workspace,
    short_name,
    temporary_project,
    workspace_of,
)
from operate.held_state import State, arranged


@contextmanager
def holding(
    stack: Stack,
    state: State,
    out: Collection[str],
    *,
    copy_of: tuple[Path | None, Cli] | None,
) -> Iterator[Stack]:
    """Hold these members in a stack with this state, and put all others back.

    With `copy_of` (the project's folder, if any, and the CLI) the stack itself is not changed:
    a copy of it is yielded.
    """
    after = arranged(state, out)
    if after is state:
        yield stack
    elif copy_of:
        with _copied(stack, *copy_of, out) as copy:
            yield copy
    else:
        workspace_of(stack).put_state(stack.name, after)
        yield stack


@contextmanager
def _copied(stack: Stack, folder: Path | None, cli: Cli, out: Collection[str]) -> Iterator[Stack]:
    """Copy a stack, with these members held, into a temporary backend.

    Its secrets are encrypted again, with a random passphrase that is not kept.
    """
    exported = stack.export_stack()
    state = arranged({"version": exported.version, "deployment": exported.deployment}, out)
    deployment = {**state["deployment"]}
    deployment.pop("secrets_providers", None)  # the copy has one of its own
    config = {key: value.value for key, value in stack.get_all_config().items()}
    name = short_name(stack.name)
    with temporary_project(folder) as directory, TemporaryDirectory(prefix="ring-") as backend:
        environment = {
            **backend_from(f"file://{backend}"),
            "PULUMI_CONFIG_PASSPHRASE": secrets.token_hex(),
        }
        program = _configured(stack.workspace.program, config)
        workspace = Workspace(directory, cli, program=program, environment=environment)
        copy = Stack.create(name, workspace)
        workspace.put_state(name, {**state, "deployment": deployment})
        yield copy


def _configured(program: Callable[[], Any] | None, config: Mapping[str, str]) -> Program | None:
    """Return the program with this configuration instead of the stack file's."""
    if program is None:
        return None

    def run() -> None:
        set_all_config(dict(config))
        program()

    return run
