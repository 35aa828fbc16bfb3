"""Parse the engine's events into the steps and messages that a person needs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from operate.errors import Note
from ring.settings.settings import NAMESPACE

if TYPE_CHECKING:
    from pulumi.automation import EngineEvent
    from pulumi.automation.events import DiagnosticEvent, StepEventMetadata

State = Literal["begun", "done", "failed"]

KEEP = "keep"
"""Operation on a resource that leaves the stack and stays in AWS; Pulumi calls it a delete."""

_COLOURS = re.compile(r"<\{%.*?%\}>")
_QUIET = ("same", "read", "discard", "refresh")
_NOT_AWS = (f"{NAMESPACE}:", "pulumi:providers:")  # components and providers


@dataclass(frozen=True)
class Step:
    """Step of the engine on one resource.

    `operation` is Pulumi's word (create, update, replace, delete ...), or `KEEP`; `kind` is the
    resource's type without the module's file; `keys` are the inputs that differ.
    """

    state: State
    operation: str
    kind: str
    name: str
    keys: tuple[str, ...] = ()

    @property
    def is_change(self) -> bool:
        """Whether it changes an AWS resource, or failed."""
        if self.kind.startswith(_NOT_AWS) and self.state != "failed":
            return False
        return not self.operation.startswith(_QUIET)


def parse_event(event: EngineEvent) -> Step | Note | None:
    """Parse one of the engine's events; None if it has nothing for a person."""
    if event.diagnostic_event:
        return _note(event.diagnostic_event)
    if event.resource_pre_event:
        return _step("begun", event.resource_pre_event.metadata)
    if event.res_outputs_event:
        return _step("done", event.res_outputs_event.metadata)
    if event.res_op_failed_event:
        return _step("failed", event.res_op_failed_event.metadata)
    return None


def _note(event: DiagnosticEvent) -> Note | None:
    text = _COLOURS.sub("", event.message).strip()
    if event.ephemeral or event.severity == "debug" or not text:
        return None
    return Note(event.severity, text, _name(event.urn or ""))


def _step(state: State, metadata: StepEventMetadata) -> Step | None:
    if metadata.type == "pulumi:pulumi:Stack":
        return None
    keys = tuple(metadata.keys or metadata.diffs or ())
    operation, kind = _operation(metadata), short(metadata.type)
    return Step(state, operation, kind, _name(metadata.urn), keys)


def _operation(metadata: StepEventMetadata) -> str:
    stays = metadata.old is not None and metadata.old.retain_on_delete
    return KEEP if stays and metadata.op.value == "delete" else metadata.op.value


def short(kind: str) -> str:
    """Remove the file from a type: `aws:dynamodb/table:Table` -> `aws:dynamodb:Table`."""
    return re.sub(r"/[^:]*", "", kind)


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]
