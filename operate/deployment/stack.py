"""The Pulumi stack of one ring, and the operations on it."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pulumi.automation import EngineEvent, Stack

from operate.aws.clients import ClientPool
from operate.deployed import Deployed
from operate.deployment.config_source import SettingsSource, StateBackend, parse_settings
from operate.deployment.engine_events import KEEP, Step, parse_event
from operate.deployment.held_stack import holding
from operate.deployment.preflight.adopted_streams import ensure_replicable
from operate.deployment.preflight.deployable import ensure_deployable
from operate.deployment.pulumi_cli import Cli, find_cli
from operate.deployment.result import (
    Operation,
    Outcome,
    Result,
    count_retained,
    operation_outcome,
    plain_outputs,
    preview_outcome,
)
from operate.deployment.settings_file import Edit, MembersLocation, edit_member
from operate.deployment.stack_access import StackAccess
from operate.deployment.workspace import (
    checked_name,
    stack_file,
    workspace_of,
)
from operate.errors import InvalidRequestError, Note
from operate.held_state import bypassed
from operate.rings import ON_AWS, DeployedRing
from ring.settings.settings import NAMESPACE, Settings

EventCallback = Callable[[DeployedRing, Step | Note], object]
"""Called with each step and message of the engine, from another thread."""
_EngineCallback = Callable[[EngineEvent], None]

_BUILDING = ("preview", "up")  # these run the program, and create a missing stack
_QUIET: Any = {"show_secrets": False}


def no_event(_ring: DeployedRing, _event: Step | Note) -> None:
    """Ignore an event."""


class RingStack:
    """A ring deployed by Pulumi's engine. Each method is one operation and returns when it ends.

    Args:
        settings: The ring's settings. None: those of the stack's file in `folder`; without either,
            the ring can still be inspected, refreshed and destroyed from its state.
        name: The stack's name. Default: the table's name.
        label: The ring's name in results and messages. Default: the stack's name.
        backend: The state backend and secrets provider. Default: Pulumi's own.
        folder: The Pulumi project's folder. Default: a temporary project named dynamodb-ring.
        members_location: The list of members in a settings file, for `operate.membership`.

    All methods raise `OperateError`: `InvalidRequestError` before anything was changed,
    `PrerequisiteError` where the CLI, a login or credentials are missing, `OperationFailedError`
    for a failed attempt, `CancelledError` after `cancel`.
    """

    catch_up = ON_AWS
    is_local = False

    def __init__(  # noqa: PLR0913 - keywords, each with a default
        self,
        settings: Settings | Mapping[str, Any] | None,
        name: str | None = None,
        *,
        label: str | None = None,
        backend: StateBackend | None = None,
        folder: Path | None = None,
        members_location: MembersLocation | None = None,
    ) -> None:
        given = parse_settings(settings) if isinstance(settings, Mapping) else settings
        if name is None and given is None:
            raise InvalidRequestError("A ring without settings needs the name of its stack.")
        self.name = checked_name(name or (given.table.name if given else ""))
        self.label = label or self.name
        self.folder = folder and folder.absolute()
        self.members_location = members_location
        self._source = SettingsSource(self.name, self.folder, given)
        self._access = StackAccess(self.name, self.folder, backend or StateBackend())
        self._cli: Cli | None = None
        self._is_cancelled = False

    @classmethod
    def of(cls, folder: Path, name: str, *, backend: StateBackend | None = None) -> RingStack:
        """Return the ring of a stack in a project's folder. To destroy it needs no stack file."""
        file = stack_file(folder.absolute(), checked_name(name))
        location = MembersLocation(file, ("config", f"{NAMESPACE}:members"))
        return cls(None, name, backend=backend, folder=folder, members_location=location)

    def with_settings(self, settings: Settings) -> RingStack:
        """Return this ring with other settings, for a preview or a deployment of them."""
        ring = copy.copy(self)
        ring._source = replace(self._source, override=settings)
        return ring

    def edit_member(self, index: int, setting: str, value: str | bool) -> Edit:
        """Return the edit of the settings file that sets a setting of a member. Changes nothing.

        Raises `InvalidRequestError` if there is no file.
        """
        if self.members_location is None:
            raise InvalidRequestError(
                f"The ring {self.label} has no settings file to change. Use --stack or --file, or "
                "change the settings in the script that makes the ring."
            )
        return edit_member(self.members_location, index, setting, value)

    def settings(self) -> Settings:
        """Return the ring's settings. Runs the CLI only for encrypted ones.

        Raises `InvalidRequestError`, with all errors.
        """
        if not self._source.is_encrypted:
            return self._source.read()
        with self._open() as stack:
            return self._source.read_from(stack)

    def preview(self, *, on_event: EventCallback = no_event) -> Result:
        """Return what `up` would do. Leaves no stack behind that did not exist before."""
        return self._run(
            "preview",
            lambda stack, handle: preview_outcome(stack.preview(on_event=handle)),
            on_event,
            dry_run=True,
        )

    def up(self, *, on_event: EventCallback = no_event) -> Result:
        """Deploy the ring's settings. Creates the stack if it does not exist."""
        return self._run(
            "up",
            lambda stack, handle: operation_outcome(stack.up(on_event=handle, **_QUIET)),
            on_event,
        )

    def refresh(self, *, dry_run: bool = False, on_event: EventCallback = no_event) -> Result:
        """Update Pulumi's state from AWS; with `dry_run`, only return what differs."""

        def run(stack: Stack, handle: _EngineCallback) -> Outcome:
            if dry_run:
                return preview_outcome(stack.preview_refresh(on_event=handle))
            return operation_outcome(stack.refresh(on_event=handle, **_QUIET))

        return self._run("refresh", run, on_event)

    def destroy(
        self, *, dry_run: bool = False, remove: bool = False, on_event: EventCallback = no_event
    ) -> Result:
        """Delete everything that the stack created, except protected tables.

        Resources of bypassed members are deleted too, so their regions must be available.

        Args:
            dry_run: Only return what would be deleted.
            remove: Also remove the stack and its history from the backend; its file stays.
            on_event: Called with each step of the engine.
        """

        def run(stack: Stack, handle: _EngineCallback) -> Outcome:
            if dry_run:
                return preview_outcome(stack.preview_destroy(on_event=handle))
            outcome = operation_outcome(stack.destroy(on_event=handle, **_QUIET))
            if remove:
                stack.workspace.remove_stack(self.name, preserve_config=True)
            return outcome

        return self._run("destroy", run, on_event, dry_run=dry_run)

    def outputs(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """Return the stack's outputs: `members` and `hops`. Secrets read `[secret]`."""
        with self._open() as stack:
            return plain_outputs(stack.outputs(), show_secrets)

    def deployed(self) -> Deployed:
        """Return what is deployed, read from Pulumi's state."""
        return Deployed.read(self.state())

    def state(self) -> dict[str, Any]:
        """Return the stack's state, as `pulumi stack export` prints it."""
        with self._open() as stack:
            return _state(stack)

    def break_lock(self) -> None:
        """Remove the lock of an update that was killed. Nobody else may be updating the stack."""
        with self._open() as stack:
            stack.cancel()

    def clients(self) -> ClientPool:
        """Return AWS clients for the members, with the credentials that deploy them."""
        return ClientPool()

    def ensure_tables_replicable(self) -> None:
        """Raise `InvalidRequestError` if the stream or the keys of an adopted table do not fit.

        Does not ask about a bypassed member. Raises `PrerequisiteError` or `OperationFailedError`
        where DynamoDB does not answer.
        """
        ensure_replicable(self.settings(), self.clients())

    def cancel(self) -> None:
        """Cancel the operation that another thread runs, in order, and refuse new ones.

        A second call ends it at once, and the stack may stay locked.
        """
        self._is_cancelled = True
        if self._cli:
            self._cli.interrupt()

    def expect_ready(self, operation: str | None = None) -> None:
        """Raise `PrerequisiteError` without a Pulumi CLI.

        Before `up` or `preview`, invalid settings are reported first (`InvalidRequestError`).
        """
        if operation in _BUILDING and not self._source.is_encrypted:
            self.settings()
        self._cli = self._cli or find_cli()

    def _run(
        self,
        operation: Operation,
        run: Callable[[Stack, _EngineCallback], Outcome],
        on_event: EventCallback,
        *,
        dry_run: bool = False,
    ) -> Result:
        notes: list[Note] = []
        retained: set[str] = set()
        started = time.monotonic()

        def handle(event: EngineEvent) -> None:
            parsed = parse_event(event)
            if isinstance(parsed, Note):
                notes.append(parsed)
            elif parsed and parsed.operation == KEEP:
                retained.add(parsed.name)
            if parsed:
                on_event(self, parsed)

        if operation in _BUILDING and not self._source.is_encrypted:
            self.ensure_tables_replicable()  # reports invalid settings before a missing CLI
        self.expect_ready(operation)
        with (
            self._open(operation, notes) as opened,
            self._with_held_members(opened, operation, dry_run) as stack,
        ):
            changes, outputs = run(stack, handle)
        seconds = round(time.monotonic() - started, 1)
        changes = count_retained(changes, len(retained))
        return Result(self.label, operation, changes, seconds, outputs, tuple(notes))

    @contextmanager
    def _with_held_members(
        self, opened: Stack, operation: Operation, dry_run: bool
    ) -> Iterator[Stack]:
        """Yield the stack with exactly the bypassed members held; for a dry run, a copy of it.

        A refresh takes it as it is. Raises `InvalidRequestError` for a setting that cannot change.
        """
        if operation == "refresh":
            yield opened
            return
        state, out = _state(opened), set[str]()
        if operation in _BUILDING:
            settings = self._source.read_from(opened)
            ensure_deployable(opened, Deployed.read(state), settings, self.clients())
            if self._source.is_encrypted:
                ensure_replicable(settings, self.clients())
            out = bypassed(settings)
        copy_of = (self.folder, self._cli) if dry_run and self._cli else None
        with holding(opened, state, out, copy_of=copy_of) as stack:
            yield stack

    def _open(
        self, operation: Operation | None = None, notes: Sequence[Note] = ()
    ) -> AbstractContextManager[Stack]:
        cli = self._cli = self._cli or find_cli()
        if self._is_cancelled:
            cli.interrupt()
        builds = operation in _BUILDING
        return self._access.open(
            cli,
            create=builds,
            temporary=operation == "preview",
            program=self._source.program() if builds else None,
            notes=notes,
        )


def _state(stack: Stack) -> dict[str, Any]:
    return workspace_of(stack).state(stack.name)
