"""The first and the last step: deploy the ring, destroy it, and look for what is left."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from operate.deployed import Deployed
from operate.deployment.result import Result
from operate.deployment.stack import RingStack
from operate.errors import (
    CancelledError,
    InvalidRequestError,
    OperateError,
    OperationFailedError,
)
from operate.monitoring.ring_monitoring import ring_status
from operate.quarantine.emptying import empty_quarantines
from operate.trial.context import Trial
from operate.trial.interruption import is_interruption
from operate.trial.items import small_item
from operate.trial.leftovers import Leftover, Leftovers, find_leftovers, inventory
from operate.trial.listing import IN_A_REGION
from operate.trial.reading import Arrival, wait_for
from operate.trial.removal import remove_all
from operate.trial.steps.engine_lock import when_unlocked
from operate.trial.verdicts import Expectation, StepResult, Verdict
from operate.trial.writing import Operation, write_all
from ring.text import counted

Destroy = Callable[[RingStack], Result]


def deploy(trial: Trial) -> StepResult:
    """Deploy the ring, and look at the state of all of it."""
    result = _deploy(trial)
    trial.journal.add_resources(inventory(trial.ring.state()))
    problems: list[str] = []

    def is_well() -> bool:
        problems[:] = ring_status(trial.ring).problems
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


def _deploy(trial: Trial) -> Result:
    """Deploy; after a killed attempt, without what its engine has made and not recorded."""
    try:
        return when_unlocked(trial, lambda: trial.deploy(trial.ring))
    except CancelledError:
        raise
    except OperationFailedError:
        orphans = _orphans(trial) if trial.attempt > 1 else []
        if not orphans:
            raise
        removed = remove_all(orphans, trial.clients)
        trial.on_progress(f"deleted what was not recorded: {', '.join(removed)}")
        trial.wait(lambda: not _orphans(trial), trial.patience.deletion)
        return trial.deploy(trial.ring)


def _orphans(trial: Trial) -> list[Leftover]:
    """Return what has the trial's name and is not in its state."""
    recorded = inventory(trial.ring.state())
    found = find_leftovers(trial.plan, (), trial.clients).resources
    return [one for one in found if one.is_ours and not _is_recorded(one, recorded)]


def _is_recorded(one: Leftover, recorded: Sequence[Mapping[str, str]]) -> bool:
    """Return whether a state has a resource; tables in two regions have the same name."""
    regional = one.found.kind in IN_A_REGION
    return any(
        each["id"] in one.found.names and (not regional or each["region"] in ("", one.region))
        for each in recorded
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


def destroy(trial: Trial, run: Destroy) -> StepResult:
    """Destroy everything, and look for what is left."""
    text = "Pulumi destroys everything that it has created"
    try:
        gone = when_unlocked(trial, lambda: _destroy(trial, run))
        ended = Expectation.of("destroy.done", text, gone, True)
    except CancelledError:
        raise
    except OperateError as error:
        if is_interruption(error):
            raise
        ended = Expectation.of("destroy.done", text, str(error), False)
    found = _look(trial)

    def is_gone() -> bool:
        nonlocal found
        found = _look(trial)
        return not found.left

    is_destroyed = ended.verdict is Verdict.MET
    if found.left and is_destroyed:
        trial.wait(is_gone, trial.patience.deletion)
    judged, rest = judge_leftovers(found), found
    if found.left and is_destroyed:
        removed = remove_all(found.resources, trial.clients)
        trial.on_progress(f"deleted, as Pulumi does not know it: {', '.join(removed) or 'nothing'}")
        trial.wait(is_gone, trial.patience.deletion)
        rest = found
    is_all_gone = is_destroyed and not rest.left and not rest.is_blind
    notes = {"is_gone": is_all_gone, "left": list(rest.left)}
    return StepResult([ended, *judged], notes=notes)


def _look(trial: Trial) -> Leftovers:
    trial.stop.check()
    return find_leftovers(trial.plan, trial.journal.document["resources"], trial.clients)


def _destroy(trial: Trial, run: Destroy) -> str:
    try:
        state = trial.ring.state()
    except InvalidRequestError:
        return "there is no stack (any more)"
    trial.journal.add_resources(inventory(state))
    # No bucket with records in it is destroyed.
    emptied = empty_quarantines(
        Deployed.read(state), trial.clients, lambda why: trial.on_progress(f"not emptied: {why}")
    )
    result = run(trial.ring)
    deleted = result.changes.get("delete", 0)
    note = f"; {counted(emptied, 'quarantined record')} deleted before" if emptied else ""
    return f"{counted(deleted, 'resource')} in {result.seconds:g} s{note}"


def judge_leftovers(found: Leftovers) -> list[Expectation]:
    """Judge what was found after the ring was destroyed."""
    text = "Nothing of it is left, by tags, by names and by what its state had"
    seen = f"{counted(found.looked, 'resource')} of the accounts looked at"
    if found.left:
        more = f" and {len(found.left) - 10} more" if len(found.left) > 10 else ""
        seen = f"left: {', '.join(found.left[:10])}{more}"
    name = "destroy.nothing-left"
    if found.is_blind:
        judged = [Expectation.not_judged(name, text, "nothing could be looked at")]
    else:
        judged = [Expectation.of(name, text, seen, not found.left)]
    if found.unseen:
        why = "; ".join(f"{what}: {error}" for what, error in found.unseen.items())
        judged.append(
            Expectation.not_judged(
                "destroy.all-seen", "Every kind of resource can be looked at", f"{why}"
            )
        )
    return judged
