"""Result of an operation of the engine, or of its preview."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pulumi.automation import DestroyResult, OutputMap, PreviewResult, RefreshResult, UpResult

from operate.deployment.engine_events import KEEP
from operate.errors import Note

Operation = Literal["preview", "up", "refresh", "destroy"]

Outcome = tuple[Mapping[str, int], Mapping[str, Any]]
"""Resources counted by operation, and the stack's outputs."""


@dataclass(frozen=True)
class Result:
    """Result of an operation. `changes` counts resources by Pulumi's operations, `same` included.

    Resources that leave the stack and stay in AWS are counted as `keep`, not as `delete`.
    `outputs` are the stack's, secrets as `[secret]`; only `up` returns them. `notes` are the
    engine's messages.
    """

    ring: str
    operation: Operation
    changes: Mapping[str, int]
    seconds: float
    outputs: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether anything was changed, or would be."""
        return any(count for name, count in self.changes.items() if name != "same")


def preview_outcome(result: PreviewResult) -> Outcome:
    """Return the outcome of a preview."""
    return count_changes(result.change_summary), {}


def operation_outcome(result: UpResult | RefreshResult | DestroyResult) -> Outcome:
    """Return the outcome of an operation."""
    outputs = plain_outputs(result.outputs) if isinstance(result, UpResult) else {}
    return count_changes(result.summary.resource_changes or {}), outputs


def count_changes(changes: Mapping[Any, int]) -> dict[str, int]:
    """Return the counts by text: the API returns texts or enums."""
    return {str(getattr(name, "value", name)): count for name, count in changes.items()}


def count_retained(changes: Mapping[str, int], retained: int) -> dict[str, int]:
    """Return the counts with `retained` of the deleted ones counted as `KEEP`."""
    if not retained:
        return dict(changes)
    counts = {**changes, "delete": changes.get("delete", 0) - retained, KEEP: retained}
    return {name: count for name, count in counts.items() if count}


def plain_outputs(outputs: OutputMap, show_secrets: bool = False) -> dict[str, Any]:
    """Return a stack's outputs as plain values; a secret reads `[secret]`."""
    return {
        name: "[secret]" if output.secret and not show_secrets else output.value
        for name, output in outputs.items()
    }
