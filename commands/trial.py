"""The command `trial`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from commands.cost import price_list
from commands.exit_codes import FAILED, OK
from commands.framework import RingCommand, command, examples
from commands.options.rings import optional_stack_option
from commands.output.deploy_progress import LiveView
from commands.output.screen import Screen
from operate.deployment.backend import absolute
from operate.deployment.result import Result
from operate.deployment.stack import RingStack
from operate.errors import CancelledError, InvalidRequestError, PrerequisiteError
from operate.pricing.prices import PriceList
from operate.rings import run_on_all
from operate.table_options import CHECKPOINTS
from operate.trial.cost import HOURS, LIMIT, most_dollars, trial_cost
from operate.trial.journal import TrialJournal
from operate.trial.plan import TrialPlan, plan_trial
from operate.trial.report import TrialReport
from operate.trial.run import STEPS, TrialCallbacks, TrialOptions, begin_trial, run_trial
from operate.trial.verdicts import Expectation, Verdict
from ring.topology import all_hops

_WORDS = {Verdict.MET: "met:", Verdict.FAILED: "! FAILED:", Verdict.NOT_JUDGED: "? not judged:"}


@click.command(
    cls=RingCommand,
    epilog=examples(
        "automate.py trial --region us-east-1 --region eu-west-1",
        "automate.py trial --stack prod --keep",
        "automate.py trial --clean-up --yes",
    ),
)
@command
@optional_stack_option
@click.option(
    "--region",
    "regions",
    multiple=True,
    metavar="REGION",
    help="Region of a member, in ring order; repeatable: at least two.",
)
@click.option("--keep", is_flag=True, help="Leave the ring; --clean-up destroys it later.")
@click.option(
    "--clean-up",
    is_flag=True,
    help="Only destroy the ring of the open trial, and look for leftovers.",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=CHECKPOINTS / "trial",
    show_default=True,
    help="Folder of the trial's state and reports.",
)
@click.option("--yes", "-y", is_flag=True, help="Skip the confirmation.")
@price_list
def trial(screen: Screen, like: RingStack | None, prices: PriceList, **given: Any) -> int:
    """Try a ring of its own name on AWS, and destroy it.

    Deploys a ring, writes to all its members, breaks and repairs it, measures it, and compares what
    is seen with what the documents say; then destroys everything, and looks for what is left. It
    takes about an hour, and less than 1 US dollar. Tables of other rings are not touched.

    Interrupted anywhere, the same command goes on. Exits with 1 if an expectation failed; both
    reports (Markdown and JSON) are in the folder of --state.
    """
    request = _Request(**given)
    folder = request.state
    journal = TrialJournal.find(folder)
    plan = _plan(journal, request, like)
    _announce(screen, plan, journal, prices, request)
    if not request.yes:
        screen.require_interactive()
        if not click.confirm("Go on?", err=True):
            return FAILED
    if journal is None:
        backend = request.backend and absolute(request.backend, Path.cwd())
        begin_trial(folder, plan, backend)
    options = TrialOptions(keep=request.keep, clean_up=request.clean_up)
    try:
        report = run_trial(folder, _callbacks(screen), options)
    except (KeyboardInterrupt, CancelledError, PrerequisiteError):
        screen.print(
            f"\nThe trial {plan.name} is not finished, and what it has made is still there. Run "
            "the same command again to go on, or with --clean-up to destroy it."
        )
        raise
    screen.emit(report.document(), lambda: _show(screen, report, request))
    return OK if report.ok else FAILED


@dataclass(frozen=True)
class _Request:
    """The command's own options."""

    regions: tuple[str, ...]
    keep: bool
    clean_up: bool
    state: Path
    yes: bool
    backend: str | None


def _plan(journal: TrialJournal | None, request: _Request, like: RingStack | None) -> TrialPlan:
    """Return the plan of the open trial, or of a new one."""
    if journal:
        plan = journal.plan()
        _expect_same(plan, request.regions or _regions(like), request.state)
        return plan
    if request.clean_up:
        raise InvalidRequestError(
            f"No trial is open in {request.state}: there is nothing to clean up."
        )
    return plan_trial(request.regions, like.settings() if like else None)


def _regions(like: RingStack | None) -> tuple[str, ...]:
    return tuple(member.region for member in like.settings().members) if like else ()


def _expect_same(plan: TrialPlan, regions: Sequence[str], folder: Path) -> None:
    """Raise `InvalidRequestError` if the open trial is in other regions."""
    own = [member.region for member in plan.members]
    if regions and list(regions) != own:
        raise InvalidRequestError(
            f"The trial {plan.name} in {', '.join(own)} is open in {folder}. Go on with it without "
            "--region and --stack, destroy its ring with --clean-up, or pass another --state."
        )


def _announce(
    screen: Screen,
    plan: TrialPlan,
    journal: TrialJournal | None,
    prices: PriceList,
    request: _Request,
) -> None:
    """Say what will be done, and the most that it can cost."""
    regions = [member.region for member in plan.members]
    if request.clean_up:
        screen.print(f"Destroys the ring {plan.name} in {', '.join(regions)}, with its tables.")
        return
    dollars = most_dollars(trial_cost(plan, prices))
    if dollars > LIMIT:
        raise InvalidRequestError(
            f"This trial can cost {dollars:.2f} US dollars, more than {LIMIT:g}: pass fewer "
            "regions, or correct --prices. Nothing was created."
        )
    hops = len(all_hops(plan.parsed()))
    steps = [name for name in STEPS if journal is None or journal.result(name) is None]
    going_on = f" Goes on with: {', '.join([*steps, 'destroy'])}." if journal else ""
    screen.print(
        f"Creates the ring {plan.name}: a table in each of {', '.join(regions)}, {hops} hops with "
        f"their functions, alarms and a dashboard; tries it, and destroys it.{going_on}"
    )
    screen.print(
        f"Costs {dollars:.2f} US dollars at the most, if it lasts up to {HOURS} hours (prices of "
        f"{prices.date})."
    )
    if guessed := prices.regions_without_prices(regions):
        screen.print(f"! No prices for {', '.join(guessed)}: those of us-east-1 are used.")


def _callbacks(screen: Screen) -> TrialCallbacks:
    def with_view(action: Callable[..., Result]) -> Callable[[RingStack], Result]:
        def run(ring: RingStack) -> Result:
            def on_cancel() -> None:
                screen.print("Cancelling: finishing and recording the resources in progress.")

            with LiveView(screen, [ring]) as view:
                (outcome,) = run_on_all(
                    [ring], lambda one: action(one, on_event=view.update), on_cancel=on_cancel
                )
            if outcome.error:
                raise outcome.error
            assert outcome.result
            return outcome.result

        return run

    return TrialCallbacks(
        deploy=with_view(RingStack.up),
        destroy=with_view(_destroy),
        on_step=lambda name: screen.print(f"\n{name}"),
        on_expectation=lambda one: _print_expectation(screen, one),
        on_progress=lambda text: screen.print(f"  {text}"),
    )


def _destroy(ring: RingStack, **more: Any) -> Result:
    return ring.destroy(remove=True, **more)


def _print_expectation(screen: Screen, one: Expectation) -> None:
    screen.print(f"{_WORDS[one.verdict]} {one.expected}\n    {one.seen}")


def _show(screen: Screen, report: TrialReport, request: _Request) -> None:
    for figures in report.figures:
        screen.print(f"\n{figures.title}:\n")
        screen.table(figures.columns, figures.rows)
        screen.print(f"\n{figures.note}")
    screen.print(f"\n{report.name}: {report.summary}.")
    for path in report.paths(request.state):
        screen.print(f"  {path}")
    if request.keep:
        screen.print(
            f"The ring is still there: `--file {request.state / 'rings.yaml'}` selects it. "
            "`automate.py trial --clean-up` destroys it."
        )
