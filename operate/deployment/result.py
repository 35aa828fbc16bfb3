"""What an operation of the engine did, or would do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pulumi.automation import DestroyResult, OutputMap, PreviewResult, RefreshResult, UpResult

from operate.deployment.engine_events import KEEP
from operate.errors import Note

Operation = Literal["preview", "up", "refresh", "destroy"]

Outcome = tuple[Mapping[str, int], Mapping[str, Any]]
"""Counts of resources by what was done to them, and the stack's outputs."""


@dataclass(frozen=True)
class Result:
    """What an operation did. `changes` counts resources by Pulumi's words, `same` among them.

    Those that Pulumi lets go of, and that stay, are counted as `keep` and not as `delete`.

    `outputs` are the stack's, secrets as `[secret]`; empty unless it was an `up`.
    """

    ring: str
    operation: Operation
    changes: Mapping[str, int]
    seconds: float
    outputs: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether anything was, or would be, changed."""
        return any(count for word, count in self.changes.items() if word != "same")


def preview_outcome(result: PreviewResult) -> Outcome:
    """What a preview found."""
    return count_changes(result.change_summary), {}


def operation_outcome(result: UpResult | RefreshResult | DestroyResult) -> Outcome:
    """What an operation did."""
    outputs = plain_outputs(result.outputs) if isinstance(result, UpResult) else {}
    return count_changes(result.summary.resource_changes or {}), outputs


def count_changes(changes: Mapping[Any, int]) -> dict[str, int]:
    """Counts by plain words: the API answers with words or enums."""
    return {str(getattr(word, "value", word)): count for word, count in changes.items()}


def count_retained(changes: Mapping[str, int], kept: int) -> dict[str, int]:
    """Counts in which so many that count as deleted are told as kept."""
    if not kept:
        return dict(changes)
    told = {**changes, "delete": changes.get("delete", 0) - kept, KEEP: kept}
    return {word: count for word, count in told.items() if count}


def plain_outputs(outputs: OutputMap, show_secrets: bool = False) -> dict[str, Any]:
    """A stack's outputs as plain values; a secret reads `[secret]`."""
    return {
        name: "[secret]" if output.secret and not show_secrets else output.value
        for name, output in outputs.items()
    }
