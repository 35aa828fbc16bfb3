"""A stack in which exactly those members are held that are to be; or, for a plan, a copy of it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pulumi.automation import Stack
from pulumi.runtime.config import set_all_config

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

    `copy_of` tells the stack's project's folder, if it has one, and the CLI: then nothing may
    change, and it is done to a copy.
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
    """Copy a stack, with these members held, into a backend of its own, for the context's time.

    `folder` is its project's, if it has one. Its secrets are encrypted anew, with a passphrase that
    nobody is told.
    """
    told = stack.export_stack()
    state = arranged({"version": told.version, "deployment": told.deployment}, out)
    deployment = {**state["deployment"]}
    deployment.pop("secrets_providers", None)  # the copy has one of its own
    config = {key: value.value for key, value in stack.get_all_config().items()}
    name = short_name(stack.name)
    with temporary_project(folder) as directory, TemporaryDirectory(prefix="ring-") as backend:
        environment = {
            "PULUMI_BACKEND_URL": f"file://{backend}",
            "PULUMI_CONFIG_PASSPHRASE": secrets.token_hex(),
        }
        program = _configured(stack.workspace.program, config)
        workspace = Workspace(directory, cli, program=program, environment=environment)
        copy = Stack.create(name, workspace)
        workspace.put_state(name, {**state, "deployment": deployment})
        yield copy


def _configured(program: Callable[[], Any] | None, config: Mapping[str, str]) -> Program | None:
    """A program that finds this configuration, whatever the stack's file says."""
    if program is None:
        return None

    def run() -> None:
        set_all_config(dict(config))
        program()

    return run
