"""Run a trial: each step once, in order, whatever a former call has done already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from operate.aws.errors import translate_aws_errors
from operate.deployment.result import Result
from operate.deployment.stack import RingStack
from operate.errors import (
    CancelledError,
    InvalidRequestError,
    OperateError,
    PrerequisiteError,
)
from operate.stop import Stop
from operate.trial.context import Deploy, Patience, Trial, patience_for
from operate.trial.interruption import is_interruption
from operate.trial.journal import TrialJournal, only_trial
from operate.trial.plan import TrialPlan
from operate.trial.report import TrialReport, report_of
from operate.trial.steps import ends, figures, keys, load, trouble
from operate.trial.verdicts import Expectation, StepResult, Verdict

DEPLOY, DESTROY = "deploy", "destroy"
STEPS: dict[str, Callable[[Trial], StepResult]] = {
    DEPLOY: ends.deploy,
    "load": load.load,
    "prepare": trouble.prepare,
    "order": load.order,
    "concurrent": keys.concurrent,
    "again": keys.again,
    "expiry": keys.expiry,
    "conflict": trouble.conflict,
    "pause": trouble.pausing,
    "poison": trouble.poison,
    "check": figures.compare_all,
    "figures": figures.figures,
}
"""The steps before `destroy`, in order."""


def _up(ring: RingStack) -> Result:
    return ring.up()


def _destroy(ring: RingStack) -> Result:
    return ring.destroy(remove=True)


def _ignore(*_: object) -> None:
    pass


@dataclass(frozen=True)
class TrialCallbacks:
    """Callbacks of a trial. By default it deploys and destroys, and prints nothing."""

    deploy: Deploy = _up
    destroy: ends.Destroy = _destroy
    on_step: Callable[[str], object] = _ignore
    """Called with the name of each step that begins."""
    on_expectation: Callable[[Expectation], object] = _ignore
    """Called with each expectation that was judged."""
    on_progress: Callable[[str], object] = _ignore


@dataclass(frozen=True)
class TrialOptions:
    """Options of a trial."""

    keep: bool = False
    """Leave the ring, to look at it; `clean_up` destroys it later."""
    clean_up: bool = False
    """Only destroy the ring of the open trial, and look for what is left."""
    patience: Patience = field(default_factory=Patience)
    stop: Stop = field(default_factory=Stop)


def begin_trial(folder: Path, plan: TrialPlan, backend: str | None = None) -> None:
    """Write the state of a new trial into a folder, for `run_trial`. Deploys nothing.

    `backend` is the URL of Pulumi's state backend. Default: Pulumi's own. Raises
    `InvalidRequestError` if a trial is open in the folder.
    """
    with only_trial(folder):
        if open_trial := TrialJournal.find(folder):
            raise InvalidRequestError(
                f"The trial {open_trial.name} is open in {folder}: go on with it, or clean it up."
            )
        TrialJournal.create(folder, plan, backend)


def run_trial(
    folder: Path,
    callbacks: TrialCallbacks | None = None,
    options: TrialOptions | None = None,
) -> TrialReport:
    """Run the trial whose journal is in a folder (`begin_trial`), or go on with it.

    A step that failed is not tried again, and the others run; of a ring that was not deployed
    nothing is tried, and it is destroyed. The journal stays until the ring is destroyed and nothing
    is left. The report is written to the folder.

    Raises:
        InvalidRequestError: There is no journal, or another process runs this trial.
        PrerequisiteError: No credentials (any more), no connection, or no CLI; the same call goes
            on with the step that it was in.
        CancelledError: It was stopped; the same call goes on.
    """
    callbacks, options = callbacks or TrialCallbacks(), options or TrialOptions()
    with only_trial(folder):
        journal = TrialJournal.open(folder)
        runner = _Runner(journal, callbacks, options)
        if not options.clean_up:
            runner.run_steps()
        if not options.keep or options.clean_up:
            runner.run_destroy()
        report = report_of(journal)
        report.write(folder)
        if runner.is_destroyed:
            journal.close()
        return report


class _Runner:
    def __init__(
        self, journal: TrialJournal, callbacks: TrialCallbacks, options: TrialOptions
    ) -> None:
        self._journal, self._callbacks, self._options = journal, callbacks, options
        self.is_destroyed = False

    def run_steps(self) -> None:
        """Run the steps that have not ended, until the ring could not be deployed."""
        if self._journal.has_begun(DESTROY):
            return
        for name, step in STEPS.items():
            if self._journal.result(name) is None:
                self._run(name, step)
            if name == DEPLOY and not self._is_deployed():
                return

    def run_destroy(self) -> None:
        """Destroy the ring; also if an earlier attempt has left something."""
        result = self._run(DESTROY, lambda trial: ends.destroy(trial, self._callbacks.destroy))
        self.is_destroyed = bool((result.notes or {}).get("is_gone"))

    def _is_deployed(self) -> bool:
        result = self._journal.result(DEPLOY)
        return bool(result and result.expectations[0].verdict is Verdict.MET)

    def _run(self, name: str, step: Callable[[Trial], StepResult]) -> StepResult:
        self._options.stop.check()
        attempt = self._journal.begin(name)
        self._callbacks.on_step(name)
        try:
            with translate_aws_errors():
                result = step(self._trial(attempt))
        except (CancelledError, PrerequisiteError):
            raise
        except OperateError as error:
            if is_interruption(error):
                raise PrerequisiteError(
                    f"AWS cannot be reached, or the credentials have expired: {error}"
                ) from error
            what = "deploy.up" if name == DEPLOY else f"{name}.done"
            failed = Expectation.of(
                what, f"The step `{name}` ends without an error", str(error), False
            )
            result = StepResult([failed])
        self._journal.end(name, result)
        for one in result.expectations:
            self._callbacks.on_expectation(one)
        return result

    def _trial(self, attempt: int) -> Trial:
        ring, plan = self._journal.ring(), self._journal.plan()
        return Trial(
            self._journal,
            plan,
            ring,
            self._callbacks.deploy,
            patience_for(plan, self._options.patience),
            self._options.stop,
            self._callbacks.on_progress,
            attempt,
        )
