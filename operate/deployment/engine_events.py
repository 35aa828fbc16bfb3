"""What the engine tells while it works, in as few words as a person needs."""

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
"""What becomes of a resource that Pulumi lets go of and that stays; Pulumi calls it a delete."""

_COLOURS = re.compile(r"<\{%.*?%\}>")
_QUIET = ("same", "read", "discard", "refresh")
_INNER = (f"{NAMESPACE}:", "pulumi:providers:")  # the program's own, and nothing of AWS


@dataclass(frozen=True)
class Step:
    """Something that the engine does to a resource.

    `operation` is Pulumi's word (create, update, replace, delete ...), or `KEEP`, `kind` the
    resource's type without its module's file, `keys` the inputs that make the difference.
    """

    state: State
    operation: str
    kind: str
    name: str
    keys: tuple[str, ...] = ()

    @property
    def is_change(self) -> bool:
        """Whether it is something that a person would look for: a thing of AWS that changes."""
        if self.kind.startswith(_INNER) and self.state != "failed":
            return False
        return not self.operation.startswith(_QUIET)


def told(event: EngineEvent) -> Step | Note | None:
    """What one of the engine's events says; None if it is nothing to a person."""
    if event.diagnostic_event:
        return _note(event.diagnostic_event)
    if event.resource_pre_event:
        return _step("begun", event.resource_pre_event.metadata)
    if event.res_outputs_event:
        return _step("done", event.res_outputs_event.metadata)
    if event.res_op_failed_event:
        return _step("failed", event.res_op_failed_event.metadata)
    return None


def _note(said: DiagnosticEvent) -> Note | None:
    text = _COLOURS.sub("", said.message).strip()
    if said.ephemeral or said.severity == "debug" or not text:
        return None
    return Note(said.severity, text, _name(said.urn or ""))


def _step(state: State, about: StepEventMetadata) -> Step | None:
    if about.type == "pulumi:pulumi:Stack":
        return None
    keys = tuple(about.keys or about.diffs or ())
    return Step(state, _operation(about), short(about.type), _name(about.urn), keys)


def _operation(about: StepEventMetadata) -> str:
    stays = about.old is not None and about.old.retain_on_delete
    return KEEP if stays and about.op.value == "delete" else about.op.value


def short(kind: str) -> str:
    """A type without the file that it is in: `aws:dynamodb/table:Table` -> `aws:dynamodb:Table`."""
    return re.sub(r"/[^:]*", "", kind)


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]
