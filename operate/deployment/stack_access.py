"""Open a ring's stack with Pulumi's Automation API: select or create it in its project's folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pulumi.automation import CommandError, Stack, StackNotFoundError

from operate.deployment.backend import backend_from, remove_empty_attributes
from operate.deployment.config_source import StateBackend
from operate.deployment.pulumi_cli import Cli, find_cli
from operate.deployment.pulumi_errors import suppress_unraisable, to_operate_error
from operate.deployment.workspace import (
    Program,
    Workspace,
    restore_file,
    stack_file,
    temporary_project,
)
from operate.errors import Note, OperateError, OperationFailedError
from ring.settings.stack_file import no_stack_file


@dataclass(frozen=True)
class StackAccess:
    """A stack's name, its project's folder (None: a temporary one) and its state backend."""

    name: str
    folder: Path | None
    backend: StateBackend

    @contextmanager
    def open(
        self,
        cli: Cli,
        *,
        create: bool = False,
        temporary: bool = False,
        program: Program | None = None,
        notes: Sequence[Note] = (),
    ) -> Iterator[Stack]:
        """Yield the stack; its errors are raised as `OperateError`, with the engine's `notes`.

        With `create`, a stack that does not exist is created, and with `temporary` removed again
        (for a preview).
        """
        with self._directory() as directory, self._translate_errors(notes), ExitStack() as end:
            workspace = self._workspace(directory, cli, program)
            try:
                stack = Stack.select(self.name, workspace)
            except StackNotFoundError:
                if not create:
                    raise
                if temporary:
                    end.enter_context(restore_file(stack_file(directory, self.name)))
                stack = Stack.create(self.name, workspace)
                if temporary:
                    end.callback(self._remove, directory)
            else:
                workspace.restore_secrets_provider(self.name)
            yield stack

    @contextmanager
    def _translate_errors(self, notes: Sequence[Note]) -> Iterator[None]:
        try:
            with suppress_unraisable():
                yield
        except CommandError as error:
            raise self.to_operate_error(error, notes) from error

    def to_operate_error(self, error: CommandError, notes: Sequence[Note] = ()) -> OperateError:
        """Translate an error of the CLI. A misspelt stack has no file, which is said first."""
        translated = to_operate_error(error, self.name, notes)
        file = stack_file(self.folder, self.name) if self.folder else None
        kind = type(translated)
        if kind is OperationFailedError or file is None or file.exists():
            return translated
        return kind(f"{no_stack_file(file)} {translated}")

    def _remove(self, directory: Path) -> None:
        """Remove a temporary stack, with a CLI of its own: the other may have been cancelled."""
        workspace = self._workspace(directory, find_cli())
        workspace.remove_stack(self.name, preserve_config=True)

    def _workspace(self, directory: Path, cli: Cli, program: Program | None = None) -> Workspace:
        environment = backend_from(self.backend.url, self.folder)
        remove_empty_attributes(environment.get("PULUMI_BACKEND_URL"))
        return Workspace(
            directory,
            cli,
            program=program,
            environment=environment,
            secrets_provider=self.backend.secrets_provider,
        )

    @contextmanager
    def _directory(self) -> Iterator[Path]:
        if self.folder and stack_file(self.folder, self.name).exists():
            yield self.folder
            return
        # Pulumi would write a stack file into the user's folder.
        with temporary_project(self.folder) as directory:
            yield directory
