"""Commands that deploy and destroy rings: preview, up, refresh, destroy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import click

from commands.exit_codes import FAILED, OK
from commands.framework import RingCommand, combined_exit_code, command, examples
from commands.options.rings import described_rings_option, stack_rings_option
from commands.output.deploy_progress import LiveView
from commands.output.screen import Screen, error_document
from operate.deployment.result import Result
from operate.deployment.stack import RingStack
from operate.errors import CancelledError, OperationFailedError
from operate.rings import DeployedRing, Outcome, run_on_all

Action = Callable[..., Result]
"""Called with a ring and `on_event`."""

_COUNTED = ("create", "update", "replace", "delete", "keep", "same")

yes_option = click.option(
    "--yes", "-y", is_flag=True, help="Skip the preview and the confirmation."
)
_jobs = click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=4,
    show_default=True,
    metavar="NUMBER",
    help="Rings to deploy at a time.",
)
_no_changes = click.option(
    "--expect-no-changes", is_flag=True, help="Exit with 1 if there are changes."
)


@click.command(
    cls=RingCommand,
    epilog=examples(
        "automate.py preview --stack dev",
        "automate.py preview --file rings.yaml --only orders --json",
    ),
)
@command
@described_rings_option
@_jobs
@_no_changes
def preview(screen: Screen, rings: Sequence[RingStack], jobs: int, expect_no_changes: bool) -> int:
    """Show what `up` would change."""
    outcomes = _run(screen, rings, RingStack.preview, jobs, planned=True)
    _answer(screen, "preview", outcomes, planned=True)
    return _code(outcomes, expect_no_changes)


@click.command(
    cls=RingCommand,
    epilog=examples(
        "automate.py up --stack dev",
        "automate.py up --table orders --key customer:S --sort order:S --member us-east-1 "
        "--member eu-west-1:orders-eu --yes",
        "automate.py up --file rings.yaml --yes --json",
    ),
)
@command
@described_rings_option
@yes_option
@_jobs
@_no_changes
def up(
    screen: Screen, rings: Sequence[RingStack], yes: bool, jobs: int, expect_no_changes: bool
) -> int:
    """Deploy rings as their settings describe.

    The ring of a stack (--stack), those of a ring file (--file), or one described by options
    (--table, --key, --member ...), whose stack is named after its table unless --stack is given.
    Changes that are impossible once a table exists, such as its keys, are refused before anything
    is changed.
    """
    operation = DeployOperation("up", rings, RingStack.preview, RingStack.up, jobs)
    return operation.execute(screen, yes=yes, expect_no_changes=expect_no_changes)


@click.command(
    cls=RingCommand, epilog=examples("automate.py refresh --stack dev --yes --expect-no-changes")
)
@command
@stack_rings_option
@yes_option
@_jobs
@_no_changes
def refresh(
    screen: Screen, rings: Sequence[RingStack], yes: bool, jobs: int, expect_no_changes: bool
) -> int:
    """Update Pulumi's state from AWS.

    Changes no resource. Manual changes show as updates, and the next `up` reverts them.
    """
    plan = partial(RingStack.refresh, dry_run=True)
    operation = DeployOperation("refresh", rings, plan, RingStack.refresh, jobs)
    return operation.execute(screen, yes=yes, expect_no_changes=expect_no_changes)


@click.command(
    cls=RingCommand,
    epilog=examples(
        "automate.py destroy --stack dev",
        "automate.py destroy --file rings.yaml --only orders --yes --remove",
    ),
)
@command
@stack_rings_option
@yes_option
@_jobs
@click.option("--remove", is_flag=True, help="Also remove the stack; its file stays.")
def destroy(screen: Screen, rings: Sequence[RingStack], yes: bool, jobs: int, remove: bool) -> int:
    """Delete everything that rings created, except tables.

    With `table.deletion_protection: false`, deployed before, created tables and their items are
    deleted too; adopted tables never are. A quarantine that holds records is not deleted: the
    command fails and names it.
    """
    plan = partial(RingStack.destroy, dry_run=True)
    act = partial(RingStack.destroy, remove=remove)
    return DeployOperation("destroy", rings, plan, act, jobs).execute(screen, yes=yes)


@dataclass(frozen=True)
class DeployOperation:
    """An operation on rings, and its preview.

    `about` is added to the JSON document. `always_run`: also run it if no resource would change.
    """

    operation: str
    rings: Sequence[DeployedRing]
    plan: Action
    act: Action
    jobs: int
    about: Mapping[str, Any] = field(default_factory=dict)
    always_run: bool = False

    def execute(self, screen: Screen, *, yes: bool, expect_no_changes: bool = False) -> int:
        """Preview and confirm, unless `yes`; then run."""
        if not yes and (code := self.confirm(screen)) is not None:
            return code
        return self.answer(screen, self.run(screen), expect_no_changes=expect_no_changes)

    def run(self, screen: Screen) -> list[Outcome[Result]]:
        """Run the operation."""
        return _run(screen, self.rings, self.act, self.jobs)

    def answer(
        self,
        screen: Screen,
        outcomes: Sequence[Outcome[Result]],
        *,
        expect_no_changes: bool = False,
    ) -> int:
        """Print the outcomes, and return the exit code."""
        _answer(screen, self.operation, outcomes, about=self.about)
        return _code(outcomes, expect_no_changes)

    def confirm(self, screen: Screen) -> int | None:
        """Preview and confirm. None: confirmed; otherwise the exit code."""
        for ring in self.rings:
            ring.expect_ready(self.operation)
        screen.require_interactive()
        planned = _run(screen, self.rings, self.plan, self.jobs, planned=True)
        _answer(screen, self.operation, planned, planned=True)
        if (code := _code(planned)) != OK:
            return code
        if not self.always_run and not _any_differs(planned):
            screen.print("Nothing to do.")
            return OK
        return None if click.confirm(f"Run {self.operation}?", err=True) else FAILED


def _run(
    screen: Screen,
    rings: Sequence[DeployedRing],
    action: Action,
    jobs: int,
    planned: bool = False,
) -> list[Outcome[Result]]:
    def on_cancel() -> None:
        screen.print(
            "Cancelling: finishing and recording the resources in progress. Press Ctrl-C again to "
            "stop at once; the stack may then stay locked."
        )

    with LiveView(screen, rings, planned=planned) as view:
        return run_on_all(
            rings, partial(action, on_event=view.update), jobs=jobs, on_cancel=on_cancel
        )


def _code(outcomes: Sequence[Outcome[Result]], expect_no_changes: bool = False) -> int:
    code = combined_exit_code(outcome.error for outcome in outcomes)
    return code or (FAILED if expect_no_changes and _any_differs(outcomes) else OK)


def _any_differs(outcomes: Sequence[Outcome[Result]]) -> bool:
    return any(outcome.result and outcome.result.differs for outcome in outcomes)


def _answer(
    screen: Screen,
    operation: str,
    outcomes: Sequence[Outcome[Result]],
    planned: bool = False,
    about: Mapping[str, Any] | None = None,
) -> None:
    document = {
        "operation": operation,
        **(about or {}),
        "ok": not any(outcome.error for outcome in outcomes),
        "rings": [_document(outcome) for outcome in outcomes],
    }
    screen.emit(document, lambda: _show(screen, outcomes, planned))


def _document(outcome: Outcome[Result]) -> dict[str, Any]:
    ring = outcome.ring
    about = {"ring": ring.label, "stack": ring.name, "ok": outcome.error is None}
    if outcome.error:
        return {**about, "error": error_document(outcome.error)}
    assert outcome.result
    result = asdict(outcome.result)
    result.pop("operation")
    return {**about, **result, "differs": outcome.result.differs}


def _show(screen: Screen, outcomes: Sequence[Outcome[Result]], planned: bool) -> None:
    for outcome in outcomes:
        error = outcome.error
        # The engine's messages about a single ring are printed already, right above.
        if isinstance(error, OperationFailedError) and error.notes and len(outcomes) == 1:
            if error.advice:
                screen.print(f"\n{error.advice}")
        elif error:
            screen.print(f"\n{outcome.ring.label}: {error}")
    screen.print("")
    rows = [_row(outcome, planned) for outcome in outcomes]
    screen.table(["ring", "result", *_COUNTED, "seconds"], rows)


def _row(outcome: Outcome[Result], planned: bool) -> list[object]:
    if outcome.result is None:
        word = "cancelled" if isinstance(outcome.error, CancelledError) else "failed"
        return [outcome.ring.label, word, *(None for _ in _COUNTED), None]
    result = outcome.result
    word = "unchanged" if not result.differs else "planned" if planned else "done"
    counts = [result.changes.get(name) for name in _COUNTED]
    return [outcome.ring.label, word, *counts, result.seconds]
