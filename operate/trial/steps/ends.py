"""The first and the last step: deploy the ring, destroy it, and look for what is left."""

from __future__ import annotations

from collections.abc import Callable

from operate.deployment.result import Result
from operate.deployment.stack import RingStack
from operate.errors import CancelledError, InvalidRequestError, OperateError
from operate.monitoring.ring_monitoring import ring_status
from operate.quarantine.listing import RingQuarantine
from operate.trial.context import Trial
from operate.trial.items import small_item
from operate.trial.leftovers import Leftovers, find_leftovers, inventory
from operate.trial.reading import Arrival, wait_for
from operate.trial.verdicts import Expectation, StepResult
from operate.trial.writing import Operation, write_all
from ring.text import counted

Destroy = Callable[[RingStack], Result]


def deploy(trial: Trial) -> StepResult:
    """Deploy the ring, and look at the state of all of it."""
    if trial.attempt > 1:
        _unlock(trial.ring)
    result = trial.deploy(trial.ring)
    trial.journal.add_resources(inventory(trial.ring.state()))
    problems: list[str] = []

    def is_well() -> bool:
        problems[:] = ring_status(trial.ring).trouble
        return not problems

    well = trial.wait(is_well, trial.patience.arrival)
    first = _first_writes(trial)
    made = sum(count for name, count in result.changes.items() if name != "same")
    return StepResult(
        [
            judge_deployment(
                len(trial.plan.members),
                len(trial.members),
                len(trial.deployed.hops),
                f"{counted(made, 'resource')} in {result.seconds:g} s",
            ),
            Expectation.of(
                "deploy.status",
                "`status` finds no trouble",
                "; ".join(problems) or "none",
                well,
            ),
            Expectation.of(
                "deploy.replicates",
                "The first writes get to all members: mappings may take minutes to start",
                first.text("all"),
                first.is_complete,
            ),
        ]
    )


def judge_deployment(planned: int, members: int, hops: int, made: str) -> Expectation:
    """Judge whether all members and hops were deployed."""
    return Expectation.of(
        "deploy.up",
        f"Pulumi creates {counted(planned, 'member')} and as many hops",
        f"{made}: {counted(members, 'member')}, {counted(hops, 'hop')}",
        hops == members == planned,
    )


def _first_writes(trial: Trial) -> Arrival:
    group = trial.group("first")
    items = {one.name: small_item(group, one.name, 1, one.name) for one in trial.members}
    write_all(trial, [Operation("put", one, items[one.name]) for one in trial.members])
    return wait_for(trial, group, items)


def _unlock(ring: RingStack) -> None:
    """Remove the lock that a killed attempt has left. The trial's stack is nobody else's."""
    try:
        ring.break_lock()
    except InvalidRequestError:
        return  # there is no stack yet
    except CancelledError:
        raise
    except OperateError:
        return  # there is no lock; what else is wrong, the deployment reports


def destroy(trial: Trial, run: Destroy) -> StepResult:
    """Destroy everything, and look for what is left."""
    text = "Pulumi destroys everything that it has created"
    try:
        gone = _destroy(trial, run)
        ended = Expectation.of("destroy.done", text, gone, True)
    except CancelledError:
        raise
    except OperateError as error:
        ended = Expectation.of("destroy.done", text, str(error), False)
    found = find_leftovers(trial.plan, trial.journal.document["resources"], trial.clients)

    def is_gone() -> bool:
        nonlocal found
        found = find_leftovers(trial.plan, trial.journal.document["resources"], trial.clients)
        return not found.left

    if found.left and ended.verdict == "met":
        trial.wait(is_gone, trial.patience.deletion)
    return StepResult([ended, *judge_leftovers(found)])


def _destroy(trial: Trial, run: Destroy) -> str:
    if trial.attempt > 1 or trial.journal.is_interrupted:
        _unlock(trial.ring)
    try:
        state = trial.ring.state()
    except InvalidRequestError:
        return "there is no stack (any more)"
    trial.journal.add_resources(inventory(state))
    emptied = _empty_quarantines(trial)
    result = run(trial.ring)
    deleted = result.changes.get("delete", 0)
    note = f"; {counted(emptied, 'quarantined record')} deleted before" if emptied else ""
    return f"{counted(deleted, 'resource')} in {result.seconds:g} s{note}"


def _empty_quarantines(trial: Trial) -> int:
    """Delete the trial's quarantined records: no bucket with records is destroyed."""
    number = 0
    try:
        for entry in RingQuarantine(trial.ring.deployed(), trial.clients).entries():
            entry.discard()
            number += 1
    except CancelledError:
        raise
    except OperateError as error:
        # A ring that was never complete has no quarantine that could be read by its hops.
        trial.on_progress(f"the quarantines were not emptied: {error}")
    return number


def judge_leftovers(found: Leftovers) -> list[Expectation]:
    """Judge what was found after the ring was destroyed."""
    text = "Nothing of it is left, by tags, by names and by what its state had"
    seen = f"{counted(found.looked, 'resource')} of the accounts looked at"
    if found.left:
        more = f" and {len(found.left) - 10} more" if len(found.left) > 10 else ""
        seen = f"left: {', '.join(found.left[:10])}{more}"
    judged = [Expectation.of("destroy.nothing-left", text, seen, not found.left)]
    if found.unseen:
        why = "; ".join(f"{what}: {error}" for what, error in found.unseen.items())
        judged.append(
            Expectation.not_judged(
                "destroy.all-seen", "Every kind of resource can be looked at", f"{why}"
            )
        )
    return judged
