"""One ring's stack, and what can be done with it through Pulumi's engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from pulumi.automation import (
    CommandError,
    EngineEvent,
    Stack,
    StackNotFoundError,
)

from operate.aws.clients import ClientPool
from operate.deployed import Deployed
from operate.deployment.adopted_streams import QUICKLY, ensure_replicable
from operate.deployment.claimed_tables import accounts, ensure_unclaimed, new_tables
from operate.deployment.config_source import StateBackend, load_stack_file, parse_settings
from operate.deployment.engine_events import KEEP, Step, told
from operate.deployment.held_stack import holding
from operate.deployment.immutable_settings import ensure_unchanged
from operate.deployment.pulumi_cli import Cli, find_cli
from operate.deployment.pulumi_errors import suppress_unraisable, to_operate_error
from operate.deployment.result import (
    Operation,
    Outcome,
    Result,
    count_retained,
    operation_outcome,
    plain_outputs,
    preview_outcome,
)
from operate.deployment.settings_file import MembersPlace
from operate.deployment.workspace import (
    Program,
    Workspace,
    backend_from,
    checked_name,
    program_in,
    program_with,
    restore_file,
    stack_file,
    temporary_project,
    workspace_of,
)
from operate.errors import InvalidRequestError, Note
from operate.held_state import bypassed
from ring.program import build
from ring.settings.settings import NAMESPACE, Settings, decode_value
from ring.settings.stack_file import ring_settings

Watch = Callable[["RingStack", Step | Note], None]
OnEvent = Callable[[EngineEvent], None]

_BUILDING = ("preview", "up")  # these run the program, and make the stack that it needs
_QUIET: Any = {"show_secrets": False}


class RingStack:
    """A ring, deployed by Pulumi's engine. Each method is one operation, and waits for its end.

    `settings` are those of a ring made by a script, `name` is its stack's (default: the table's
    name), `label` what results call it. It belongs to the Pulumi project dynamodb-ring, and needs
    no folder. `watch` is told each step of the engine, from another thread.

    `RingStack.of` takes a stack's file in a project's folder. Without settings, a ring can be
    looked at, refreshed and destroyed, as its state tells all that this needs.

    `told_in` is where the list of its members stands, if that is a file. `wished` are settings that
    take the place of all others: what the file will say, before it does.

    All methods raise `OperateError`: `InvalidRequestError` before anything was changed,
    `PrerequisiteError` where the CLI, a login or credentials are missing, `OperationFailedError`
    when it was tried, `CancelledError` after `cancel`.
    """

    def __init__(
        self,
        settings: Settings | Mapping[str, Any] | None,
        name: str | None = None,
        *,
        label: str | None = None,
        keep: StateBackend | None = None,
        watch: Watch | None = None,
    ) -> None:
        self._settings = parse_settings(settings) if isinstance(settings, Mapping) else settings
        if name is None and self._settings is None:
            raise InvalidRequestError(
                "A ring without settings is known by its stack's name alone: give it."
            )
        self.name = checked_name(name or (self._settings.table.name if self._settings else ""))
        self.label = label or self.name
        self.folder: Path | None = None
        self.watch = watch
        self.told_in: MembersPlace | None = None
        self.wished: Settings | None = None
        self._keep = keep or StateBackend()
        self._cli: Cli | None = None
        self._cancelled = False

    @classmethod
    def of(
        cls,
        folder: Path,
        name: str,
        *,
        keep: StateBackend | None = None,
        watch: Watch | None = None,
    ) -> RingStack:
        """The ring of a stack in a project's folder, whose file need not be there to destroy it."""
        ring = cls(None, name, keep=keep, watch=watch)
        ring.folder = folder.absolute()
        steps = ("config", f"{NAMESPACE}:members")
        ring.told_in = MembersPlace(stack_file(ring.folder, ring.name), steps)
        return ring

    def settings(self) -> Settings:
        """The settings that it is to have. The CLI is asked only for what is encrypted.

        Raises `InvalidRequestError`, with all mistakes.
        """
        if settings := self.wished or self._settings:
            return settings
        if self.folder is None:
            raise InvalidRequestError(
                f"What the ring {self.name} is to be was not told: give its settings, a ring file, "
                "or the folder with its stack's file."
            )
        if not self._is_secret():
            return parse_settings(load_stack_file(self.folder, self.name).settings)
        with self._opened() as stack:
            return self._settings_in(stack)

    def preview(self) -> Result:
        """What `up` would do. A stack that is not there yet is not there afterwards either."""
        return self._run(
            "preview",
            lambda stack, on_event: preview_outcome(stack.preview(on_event=on_event)),
            dry=True,
        )

    def up(self) -> Result:
        """Make the ring what its settings say, and its stack, if it is not there."""
        return self._run(
            "up", lambda stack, on_event: operation_outcome(stack.up(on_event=on_event, **_QUIET))
        )

    def refresh(self, *, dry_run: bool = False) -> Result:
        """Take into Pulumi's state what has become of the resources; `dry_run`: only tell."""

        def run(stack: Stack, on_event: OnEvent) -> Outcome:
            if dry_run:
                return preview_outcome(stack.preview_refresh(on_event=on_event))
            return operation_outcome(stack.refresh(on_event=on_event, **_QUIET))

        return self._run("refresh", run)

    def destroy(self, *, dry_run: bool = False, remove: bool = False) -> Result:
        """Delete all that the stack has created but protected tables. `dry_run`: only tell.

        What it holds of bypassed members is deleted with it, so their regions have to answer.

        With `remove` Pulumi forgets the stack as well, and its history; its file stays.
        """

        def run(stack: Stack, on_event: OnEvent) -> Outcome:
            if dry_run:
                return preview_outcome(stack.preview_destroy(on_event=on_event))
            outcome = operation_outcome(stack.destroy(on_event=on_event, **_QUIET))
            if remove:
                stack.workspace.remove_stack(self.name, preserve_config=True)
            return outcome

        return self._run("destroy", run, dry=dry_run)

    def outputs(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """What the stack tells of the ring: `members` and `hops`. Secrets read `[secret]`."""
        with self._opened() as stack:
            return plain_outputs(stack.outputs(), show_secrets)

    def deployed(self) -> Deployed:
        """What is deployed, as Pulumi's state has it."""
        with self._opened() as stack:
            return Deployed.read(_state(stack))

    def clients(self) -> ClientPool:
        """Clients that reach its members, as whoever deployed them."""
        return ClientPool()

    def ensure_tables_replicable(self) -> None:
        """Raise `InvalidRequestError` if an adopted table cannot be a member as it is.

        Asks no member that is bypassed. Raises as `settings` does, and `PrerequisiteError` or
        `OperationFailedError` where DynamoDB cannot be asked.
        """
        ensure_replicable(self.settings(), ClientPool(QUICKLY))

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._cancelled

    def cancel(self) -> None:
        """Have the operation that runs in another thread end in order, and none begin after it.

        Called again, it ends at once, and the stack may stay locked.
        """
        self._cancelled = True
        if self._cli:
            self._cli.interrupt()

    def expect_ready(self, operation: str | None = None) -> None:
        """See that an operation can begin. `PrerequisiteError` without a CLI.

        What is built needs settings without mistakes, too: those are told before the CLI is looked
        for.
        """
        if operation in _BUILDING and not self._is_secret():
            self.settings()
        self._cli = self._cli or find_cli()

    # --- how ----------------------------------------------------------------------------------

    def _run(
        self,
        operation: Operation,
        run: Callable[[Stack, OnEvent], Outcome],
        *,
        dry: bool = False,
    ) -> Result:
        notes: list[Note] = []
        kept: set[str] = set()
        began = time.monotonic()

        def on_event(event: EngineEvent) -> None:
            said = told(event)
            if isinstance(said, Note):
                notes.append(said)
            elif said and said.operation == KEEP:
                kept.add(said.name)
            if said and self.watch:
                self.watch(self, said)

        builds = operation in _BUILDING
        if builds and not self._is_secret():
            self.ensure_tables_replicable()  # wrong settings are told before the CLI is looked for
        self.expect_ready(operation)
        with self._opened(operation, notes) as stack, self._held(stack, operation, dry) as at:
            changes, outputs = run(at, on_event)
        seconds = round(time.monotonic() - began, 1)
        changes = count_retained(changes, len(kept))
        return Result(self.label, operation, changes, seconds, outputs, tuple(notes))

    def _is_secret(self) -> bool:
        """Whether the CLI is needed to read the settings."""
        told = self.wished or self._settings
        return bool(self.folder and not told and load_stack_file(self.folder, self.name).secrets)

    @contextmanager
    def _held(self, stack: Stack, operation: Operation, dry: bool) -> Iterator[Stack]:
        """The stack, in which exactly the bypassed members are held; a copy if nothing may change.

        A refresh takes it as it is. InvalidRequestError where a setting cannot be as it is wished.
        """
        if operation == "refresh":
            yield stack
            return
        state, out = _state(stack), set[str]()
        if operation in _BUILDING:
            settings = self._settings_in(stack)
            self._refuse_what_cannot_be(stack, Deployed.read(state), settings)
            out = bypassed(settings)
        copy_of = (self.folder, self._cli) if dry and self._cli else None
        with holding(stack, state, out, copy_of=copy_of) as at:
            yield at

    def _refuse_what_cannot_be(self, stack: Stack, deployed: Deployed, settings: Settings) -> None:
        if deployed.members:
            ensure_unchanged(deployed, settings)
        if new_tables(deployed, settings):
            others = workspace_of(stack).states_beside(stack.name)
            ensure_unclaimed(others, deployed, settings, accounts(self.clients()))
        if self._is_secret():
            ensure_replicable(settings, ClientPool(QUICKLY))

    def _settings_in(self, stack: Stack) -> Settings:
        if not self._is_secret():
            return self.settings()
        config = stack.get_all_config()
        return parse_settings(
            ring_settings({key: decode_value(value.value) for key, value in config.items()})
        )

    @contextmanager
    def _opened(
        self, operation: Operation | None = None, notes: Sequence[Note] = ()
    ) -> Iterator[Stack]:
        """The stack. One that is not there is created to be built; for a preview, in passing."""
        cli = self._cli = self._cli or find_cli()
        if self._cancelled:
            cli.interrupt()
        builds = operation in _BUILDING
        with self._directory() as directory, self._explaining(notes), ExitStack() as end:
            workspace = self._workspace_in(directory, cli, self._program() if builds else None)
            try:
                stack = Stack.select(self.name, workspace)
            except StackNotFoundError:
                if not builds:
                    raise
                if operation == "preview":
                    end.enter_context(restore_file(stack_file(directory, self.name)))
                stack = Stack.create(self.name, workspace)
                if operation == "preview":
                    end.callback(self._forget, directory)
            else:
                workspace.restore_secrets_provider(self.name)
            yield stack

    @contextmanager
    def _explaining(self, notes: Sequence[Note]) -> Iterator[None]:
        try:
            with suppress_unraisable():
                yield
        except CommandError as error:
            raise to_operate_error(error, self.name, notes) from error

    def _forget(self, directory: Path) -> None:
        """Remove a stack that was made in passing, with a CLI that nobody has told to stop."""
        workspace = self._workspace_in(directory, find_cli())
        workspace.remove_stack(self.name, preserve_config=True)

    def _workspace_in(self, directory: Path, cli: Cli, program: Program | None = None) -> Workspace:
        return Workspace(
            directory,
            cli,
            program=program,
            environment=backend_from(self._keep.backend, self.folder),
            secrets_provider=self._keep.secrets_provider,
        )

    def _program(self) -> Program | None:
        if self.folder:
            program = program_in(self.folder)
            return program_with(program, self.wished) if self.wished else program
        settings = self.wished or self._settings
        return (lambda: _build(settings)) if settings else None

    @contextmanager
    def _directory(self) -> Iterator[Path]:
        if self.folder and stack_file(self.folder, self.name).exists():
            yield self.folder
            return
        # Pulumi would write a file for a stack that has none into the user's folder.
        with temporary_project(self.folder) as directory:
            yield directory


def _state(stack: Stack) -> dict[str, Any]:
    return workspace_of(stack).state(stack.name)


def _build(settings: Settings) -> None:
    build(settings)
