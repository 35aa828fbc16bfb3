"""Operations on rings: deploy, monitor, change members, check, repair, backfill, redrive.

The public names are imported when they are first used: the Lambda worker imports this package
without Pulumi.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from operate.check_run import CheckReport
    from operate.conflicts.entries import ConflictEntry
    from operate.conflicts.reading import Conflicts
    from operate.conflicts.resolving import Resolution, ResolveOutcome
    from operate.conflicts.ring_conflicts import logged_conflicts, resolve_conflict
    from operate.conflicts.standing import loser_of
    from operate.deployment.config_source import StateBackend
    from operate.deployment.result import Result
    from operate.deployment.ring_file import read_rings
    from operate.deployment.stack import RingStack
    from operate.errors import (
        CancelledError,
        InvalidRequestError,
        OperateError,
        OperationFailedError,
        PrerequisiteError,
    )
    from operate.membership.changes import (
        ChangeCallbacks,
        ChangePlan,
        ChangeResult,
        bypass,
        pause,
        rejoin,
        resume,
    )
    from operate.monitoring.ring_monitoring import ring_lag as lag
    from operate.monitoring.ring_monitoring import ring_status as status
    from operate.quarantine.redrive import RedriveOptions
    from operate.reconcile.check import CheckOptions
    from operate.rings import run_on_all
    from operate.table_operations import (
        RepairReport,
        backfill,
        check,
        quarantined,
        redrive,
        repair,
    )
    from operate.table_options import TableOptions
    from operate.trial.plan import TrialPlan, plan_trial
    from operate.trial.report import TrialReport
    from operate.trial.run import TrialCallbacks, TrialOptions, begin_trial, run_trial
    from operate.trial.verdicts import Expectation, Verdict

__all__ = [
    "CancelledError",
    "ChangeCallbacks",
    "ChangePlan",
    "ChangeResult",
    "CheckOptions",
    "CheckReport",
    "ConflictEntry",
    "Conflicts",
    "Expectation",
    "InvalidRequestError",
    "OperateError",
    "OperationFailedError",
    "PrerequisiteError",
    "RedriveOptions",
    "RepairReport",
    "Resolution",
    "ResolveOutcome",
    "Result",
    "RingStack",
    "StateBackend",
    "TableOptions",
    "TrialCallbacks",
    "TrialOptions",
    "TrialPlan",
    "TrialReport",
    "Verdict",
    "backfill",
    "begin_trial",
    "bypass",
    "check",
    "lag",
    "logged_conflicts",
    "loser_of",
    "pause",
    "plan_trial",
    "quarantined",
    "read_rings",
    "redrive",
    "rejoin",
    "repair",
    "resolve_conflict",
    "resume",
    "run_on_all",
    "run_trial",
    "status",
]

_MODULES = {
    "operate.conflicts.entries": ("ConflictEntry",),
    "operate.conflicts.reading": ("Conflicts",),
    "operate.conflicts.resolving": ("Resolution", "ResolveOutcome"),
    "operate.conflicts.ring_conflicts": ("logged_conflicts", "resolve_conflict"),
    "operate.conflicts.standing": ("loser_of",),
    "operate.check_run": ("CheckReport",),
    "operate.deployment.config_source": ("StateBackend",),
    "operate.deployment.result": ("Result",),
    "operate.deployment.ring_file": ("read_rings",),
    "operate.deployment.stack": ("RingStack",),
    "operate.errors": (
        "CancelledError",
        "InvalidRequestError",
        "OperateError",
        "OperationFailedError",
        "PrerequisiteError",
    ),
    "operate.membership.changes": (
        "ChangeCallbacks",
        "ChangePlan",
        "ChangeResult",
        "bypass",
        "pause",
        "rejoin",
        "resume",
    ),
    "operate.quarantine.redrive": ("RedriveOptions",),
    "operate.reconcile.check": ("CheckOptions",),
    "operate.rings": ("run_on_all",),
    "operate.table_operations": (
        "RepairReport",
        "backfill",
        "check",
        "quarantined",
        "redrive",
        "repair",
    ),
    "operate.table_options": ("TableOptions",),
    "operate.trial.plan": ("TrialPlan", "plan_trial"),
    "operate.trial.report": ("TrialReport",),
    "operate.trial.run": ("TrialCallbacks", "TrialOptions", "begin_trial", "run_trial"),
    "operate.trial.verdicts": ("Expectation", "Verdict"),
}
_EXPORTS = {name: (module, name) for module, names in _MODULES.items() for name in names} | {
    "lag": ("operate.monitoring.ring_monitoring", "ring_lag"),
    "status": ("operate.monitoring.ring_monitoring", "ring_status"),
}


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _EXPORTS[name]
    return getattr(import_module(module), attribute)
