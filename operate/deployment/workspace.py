"""The workspace of an operation: a Pulumi project's folder, or a temporary one.

https://www.pulumi.com/docs/iac/automation-api/concepts-terminology/#workspace
"""

from __future__ import annotations

import json
import re
import runpy
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from pulumi.automation import LocalWorkspace, Stack
from pulumi.runtime import set_config

from operate.deployment.backend import absolute, read_project
from operate.deployment.pulumi_cli import Cli
from operate.errors import InvalidRequestError, OperationFailedError
from ring.program import build
from ring.settings.settings import NAMESPACE, Settings, read_settings

PROJECT = NAMESPACE
"""Pulumi project of rings without a project's folder."""

Program = Callable[[], None]
_WORD = r"(?!\.+(/|$))[A-Za-z0-9_.-]+"  # not only dots, which would be another folder
_NAME = re.compile(f"({_WORD}/){{0,2}}{_WORD}")


class Workspace(LocalWorkspace):
    """A workspace that leaves the user's own unchanged: it selects no stack and writes no file."""

    def __init__(
        self,
        directory: Path,
        cli: Cli,
        *,
        program: Program | None = None,
        environment: Mapping[str, str] | None = None,
        secrets_provider: str | None = None,
    ) -> None:
        super().__init__(
            work_dir=str(directory),
            program=program,
            env_vars=environment,
            secrets_provider=secrets_provider,
            pulumi_command=cli,
        )

    def select_stack(self, stack_name: str) -> None:
        """Raise StackNotFoundError if there is no such stack."""
        self._run_pulumi_cmd_sync(["stack", "--stack", stack_name])

    def create_stack(self, stack_name: str) -> None:
        """Create a stack in the state backend and, for its encryption settings, in its file."""
        provider = ["--secrets-provider", self.secrets_provider] if self.secrets_provider else []
        self._run_pulumi_cmd_sync(["stack", "init", stack_name, "--no-select", *provider])

    def state(self, stack_name: str) -> dict[str, Any]:
        """Return a stack's state. Its secrets stay encrypted, so this needs no passphrase."""
        output = self._run_pulumi_cmd_sync(["stack", "export", "--stack", stack_name]).stdout
        try:
            state: dict[str, Any] = json.loads(output)
        except ValueError as error:
            raise OperationFailedError(
                f"`pulumi stack export` did not print JSON: {output[:200]!r}. Check which `pulumi` "
                "is first on the PATH."
            ) from error
        return state

    def states_beside(self, stack_name: str) -> dict[str, dict[str, Any]]:
        """Return the states of the project's other stacks that have resources, by name."""
        return {
            stack.name: self.state(stack.name)
            for stack in self.list_stacks()
            if short_name(stack.name) != short_name(stack_name) and stack.resource_count != 0
        }

    def put_state(self, stack_name: str, state: Mapping[str, Any]) -> None:
        """Replace a stack's state. Pulumi rejects an inconsistent one."""
        with TemporaryDirectory(prefix="ring-") as directory:
            file = Path(directory) / "state.json"
            file.touch(mode=0o600)
            file.write_text(json.dumps(state), encoding="utf-8")
            arguments = ["stack", "import", "--stack", stack_name, "--file", str(file)]
            self._run_pulumi_cmd_sync(arguments)

    def restore_secrets_provider(self, stack_name: str) -> None:
        """Write the encryption settings of a stack without a file, from its state.

        Pulumi reads them from the stack's file. Without it, it would start over with the current
        passphrase, right or wrong.
        """
        file = stack_file(Path(self.work_dir), stack_name)
        if file.exists():
            return
        deployment = self.state(stack_name).get("deployment") or {}
        provider = deployment.get("secrets_providers") or {}
        state = provider.get("state") or {}
        settings = {
            "encryptionsalt": state.get("salt"),
            "secretsprovider": state.get("url") if provider.get("type") == "cloud" else None,
            "encryptedkey": state.get("encryptedkey"),
        }
        known = {name: value for name, value in settings.items() if value}
        file.write_text(yaml.safe_dump(known) if known else "", encoding="utf-8")


def workspace_of(stack: Stack) -> Workspace:
    """Return the workspace that a stack was opened in."""
    workspace = stack.workspace
    assert isinstance(workspace, Workspace)
    return workspace


def checked_name(stack: str) -> str:
    """Return a stack's name. Raises `InvalidRequestError` if it is not valid."""
    if not _NAME.fullmatch(stack):
        raise InvalidRequestError(
            f"{stack!r} is not a valid stack name. Use letters, digits, - _ and ., optionally with "
            "organization/ or organization/project/ before it."
        )
    return stack


def short_name(stack: str) -> str:
    """Remove the organization and the project from a stack's name."""
    return stack.rpartition("/")[2]


def stack_file(directory: Path, stack: str) -> Path:
    """Return the path of a stack's file."""
    return directory / f"Pulumi.{short_name(stack)}.yaml"


@contextmanager
def restore_file(file: Path) -> Iterator[None]:
    """Restore a stack's file at the end: removing a stack removes its encryption settings."""
    before = file.read_text(encoding="utf-8") if file.exists() else None
    try:
        yield
    finally:
        if before is not None:
            file.write_text(before, encoding="utf-8")


@contextmanager
def temporary_project(like: Path | None = None) -> Iterator[Path]:
    """Yield a temporary project's folder, with the project name and backend of `like`'s."""
    project: dict[str, Any] = {"name": PROJECT, "runtime": "python", "main": str(Path.cwd())}
    if like:
        project |= _identity(like)
    with TemporaryDirectory(prefix="ring-") as name:
        directory = Path(name)
        (directory / "Pulumi.yaml").write_text(yaml.safe_dump(project), encoding="utf-8")
        yield directory


def _identity(directory: Path) -> dict[str, Any]:
    """Return the parts of a project that decide which stacks belong to it."""
    project = read_project(directory)
    kept = {key: value for key, value in project.items() if key in ("name", "backend")}
    if isinstance(backend := kept.get("backend"), dict) and "url" in backend:
        kept["backend"] = {**backend, "url": absolute(str(backend["url"]), directory)}
    return kept


def program_in(directory: Path) -> Program:
    """Return the program of a project's folder, `__main__.py`, or by default the ring's own.

    Raises `InvalidRequestError` if the folder has no Pulumi project, or one in another language.
    """
    project = read_project(directory)
    runtime = project.get("runtime")
    language = runtime.get("name") if isinstance(runtime, dict) else runtime
    if language != "python":
        raise InvalidRequestError(
            f"{directory / 'Pulumi.yaml'}: the runtime is {language or 'not set'}, and only Python "
            "programs can run here. Use `pulumi` for its stacks."
        )
    main = directory / str(project.get("main") or ".") / "__main__.py"
    return (lambda: _run(main)) if main.exists() else _from_configuration


def program_with(program: Program, settings: Settings) -> Program:
    """Return a program that reads these members instead of the stack file's."""
    members = [member.model_dump(exclude_defaults=True) for member in settings.members]

    def run() -> None:
        set_config(f"{NAMESPACE}:members", json.dumps(members))
        program()

    return run


def _from_configuration() -> None:
    build(read_settings())


def _run(main: Path) -> None:
    sys.path.insert(0, str(main.parent))
    try:
        runpy.run_path(str(main), run_name="__main__")
    finally:
        sys.path.remove(str(main.parent))
