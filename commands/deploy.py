"""Commands that deploy rings and take them down: preview, up, refresh, destroy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import click

from commands.exit_codes import FAILED, OK
from commands.framework import combined_exit_code, command, examples
from commands.options.rings import described_rings_option, stack_rings_option
from commands.output.deploy_progress import LiveView
from commands.output.screen import Screen, error_document
from operate.deployment.result import Result
from operate.deployment.stack import RingStack
from operate.errors import OperationFailedError
from operate.rings import Outcome, run_on_all

Action = Callable[[RingStack], Result]

_COUNTED = ("create", "update", "replace", "delete", "keep", "same")

yes_option = click.option(
    "--yes", "-y", is_flag=True, help="Do it without showing it first and asking."
)
_jobs = click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=4,
    show_default=True,
    help="How many rings to work on at a time.",
)
_no_changes = click.option(
    "--expect-no-changes", is_flag=True, help="Exit with 1 if anything differs."
)


@click.command(
    epilog=examples(
        "automate.py preview --stack dev",
        "automate.py preview --file rings.yaml --only orders --json",
    )
)
@command
@described_rings_option
@_jobs
@_no_changes
def preview(screen: Screen, rings: Sequence[RingStack], jobs: int, expect_no_changes: bool) -> int:
    """Show what `up` would do. Nothing is changed."""
    ended = _run(screen, rings, RingStack.preview, jobs, planned=True)
    _answer(screen, "preview", ended, planned=True)
    return _code(ended, expect_no_changes)


@click.command(
    epilog=examples(
        "automate.py up --stack dev",
        "automate.py up --table orders --key customer:S --sort order:S \\",
        "    --member us-east-1 --member eu-west-1:orders-eu --yes",
        "automate.py up --file rings.yaml --yes --json",
    )
)
@command
@described_rings_option
@yes_option
@_jobs
@_no_changes
def up(
    screen: Screen, rings: Sequence[RingStack], yes: bool, jobs: int, expect_no_changes: bool
) -> int:
    """Make rings what their settings say.

    The ring of a stack (--stack), those of a ring file (--file), or one that the command line
    describes (--table, --key, --member ...), whose stack is named after its table unless --stack
    says otherwise. Settings that are fixed once a table is there, such as its keys, are refused
    before anything is changed.
    """
    work = DeployOperation("up", rings, RingStack.preview, RingStack.up, jobs)
    return work.execute(screen, yes=yes, expect_no_changes=expect_no_changes)


@click.command(epilog=examples("automate.py refresh --stack dev --yes --expect-no-changes"))
@command
@stack_rings_option
@yes_option
@_jobs
@_no_changes
def refresh(
    screen: Screen, rings: Sequence[RingStack], yes: bool, jobs: int, expect_no_changes: bool
) -> int:
    """Bring Pulumi's state up to what AWS has.

    No resource is changed. What somebody has changed by hand shows as an update, and the next `up`
    changes it back.
    """
    plan = partial(RingStack.refresh, dry_run=True)
    work = DeployOperation("refresh", rings, plan, RingStack.refresh, jobs)
    return work.execute(screen, yes=yes, expect_no_changes=expect_no_changes)


@click.command(
    epilog=examples(
        "automate.py destroy --stack dev",
        "automate.py destroy --file rings.yaml --only orders --yes --remove",
    )
)
@command
@stack_rings_option
@yes_option
@_jobs
@click.option("--remove", is_flag=True, help="Have Pulumi forget the stack too; its file stays.")
def destroy(screen: Screen, rings: Sequence[RingStack], yes: bool, jobs: int, remove: bool) -> int:
    """Delete what rings have created; tables stay, unless told otherwise.

    With `table.deletion_protection: false`, deployed by `up` before, the tables that were created
    are deleted as well, with their items; adopted ones never. A quarantine that holds records is
    not deleted: the command fails, and says which.
    """
    plan = partial(RingStack.destroy, dry_run=True)
    act = partial(RingStack.destroy, remove=remove)
    return DeployOperation("destroy", rings, plan, act, jobs).execute(screen, yes=yes)


@dataclass(frozen=True)
class DeployOperation:
    """An operation on some rings, and how to show beforehand what it would do.

    `about` stands in the answer's document too. With `beside` there is something to do even if no
    resource would change.
    """

    operation: str
    rings: Sequence[RingStack]
    plan: Action
    act: Action
    jobs: int
    about: Mapping[str, Any] = field(default_factory=dict)
    always_run: bool = False

    def execute(self, screen: Screen, *, yes: bool, expect_no_changes: bool = False) -> int:
        """Show the plan and ask, unless the answer is yes already; then do it."""
        if not yes and (code := self.confirm(screen)) is not None:
            return code
        return self.answer(screen, self.run(screen), expect_no_changes=expect_no_changes)

    def run(self, screen: Screen) -> list[Outcome[Result]]:
        """Do it."""
        return _run(screen, self.rings, self.act, self.jobs)

    def answer(
        self, screen: Screen, ended: Sequence[Outcome[Result]], *, expect_no_changes: bool = False
    ) -> int:
        """Tell what was done, and return the code to end with."""
        _answer(screen, self.operation, ended, about=self.about)
        return _code(ended, expect_no_changes)

    def confirm(self, screen: Screen) -> int | None:
        """Show the plan and ask. None to go on, or else the code to end with."""
        for ring in self.rings:
            ring.expect_ready(self.operation)
        screen.require_interactive()
        planned = _run(screen, self.rings, self.plan, self.jobs, planned=True)
        _answer(screen, self.operation, planned, planned=True)
        if (code := _code(planned)) != OK:
            return code
        if not self.always_run and not any(one.result and one.result.differs for one in planned):
            screen.print("Nothing to do.")
            return OK
        return None if click.confirm(f"Do this ({self.operation})?", err=True) else FAILED


def _run(
    screen: Screen,
    rings: Sequence[RingStack],
    action: Action,
    jobs: int,
    planned: bool = False,
) -> list[Outcome[Result]]:
    def on_cancel() -> None:
        screen.print(
            "Cancelling: what has begun is finished and recorded. Ctrl-C again drops it at once, "
            "and the stack may then stay locked."
        )

    with LiveView(screen, rings, planned=planned):
        return run_on_all(rings, action, jobs=jobs, on_cancel=on_cancel)


def _code(ended: Sequence[Outcome[Result]], expect_no_changes: bool = False) -> int:
    differs = expect_no_changes and any(one.result and one.result.differs for one in ended)
    return combined_exit_code(one.error for one in ended) or (FAILED if differs else OK)


def _answer(
    screen: Screen,
    operation: str,
    ended: Sequence[Outcome[Result]],
    planned: bool = False,
    about: Mapping[str, Any] | None = None,
) -> None:
    document = {
        "operation": operation,
        **(about or {}),
        "ok": not any(one.error for one in ended),
        "rings": [_document(one) for one in ended],
    }
    screen.emit(document, lambda: _show(screen, ended, planned))


def _document(ended: Outcome[Result]) -> dict[str, Any]:
    about = {"ring": ended.ring.label, "stack": ended.ring.name, "ok": ended.error is None}
    if ended.error:
        return {**about, "error": error_document(ended.error)}
    assert ended.result
    told = asdict(ended.result)
    told.pop("operation")
    return {**about, **told, "differs": ended.result.differs}


def _show(screen: Screen, ended: Sequence[Outcome[Result]], planned: bool) -> None:
    for one in ended:
        # What the engine said of a ring that is alone stands right above.
        said = isinstance(one.error, OperationFailedError) and one.error.notes and len(ended) == 1
        if one.error and not said:
            screen.print(f"\n{one.ring.label}: {one.error}")
    screen.print("")
    screen.table(["ring", "result", *_COUNTED, "seconds"], [_row(one, planned) for one in ended])


def _row(ended: Outcome[Result], planned: bool) -> list[object]:
    if ended.result is None:
        word = type(ended.error).__name__.removesuffix("Error").lower()
        return [ended.ring.label, word, *(None for _ in _COUNTED), None]
    result = ended.result
    word = "unchanged" if not result.differs else "planned" if planned else "done"
    counts = [result.changes.get(name) for name in _COUNTED]
    return [ended.ring.label, word, *counts, result.seconds]
