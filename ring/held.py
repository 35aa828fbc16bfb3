"""Held members: bypassed, with their resources kept outside the engine's state.

The engine configures the provider and plans every resource that is in its state, changed or not,
which fails while a region is unreachable. So the resources of a bypassed member are taken out of
the state and stored, unchanged, in the outputs of a component of their own
(`operate/held_state.py` does that, and restores them). The program declares this component alone
for such a member.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pulumi
from pulumi.runtime import invoke

from ring.component_types import HELD
from ring.settings.members import Member

READS_STATE = "pulumi:pulumi:readStackResourceOutputs"
"""The engine's built-in function that returns the outputs of all resources of a stack."""
_IS_WRITTEN = "failed to load checkpoint: EOF"
_ATTEMPTS = 5
_PAUSE = 0.2  # seconds
_NO_ORGANIZATION = "organization"  # the placeholder of a backend that has no organizations


@dataclass(frozen=True)
class HeldMember:
    """The stored resources of a member. `ring` and `member` are names; `text` is JSON.

    It has the resources under `resources`, as they were in the state, and under `needed` those that
    they refer to and that are not the member's own.
    """

    ring: str
    member: str
    text: str

    @cached_property
    def resources(self) -> Sequence[Mapping[str, Any]]:
        """The member's resources."""
        resources: Sequence[Mapping[str, Any]] = json.loads(self.text)["resources"]
        return resources

    def component_outputs(self, type_token: str) -> list[Mapping[str, Any]]:
        """Return the outputs of the member's components of a type."""
        components = (found for found in self.resources if found["type"] == type_token)
        return [found["outputs"] for found in components if found.get("outputs")]

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs of the component that stores it."""
        return {"ring": self.ring, "member": self.member, "text": self.text}

    @classmethod
    def from_outputs(cls, outputs: Mapping[str, Any]) -> HeldMember:
        """Read it from the component's outputs."""
        return cls(outputs["ring"], outputs["member"], outputs["text"])


class HeldMembers(pulumi.ComponentResource):
    """Stores a held member. Protected, since nothing else has a record of its resources."""

    def __init__(self, name: str, held: HeldMember, opts: pulumi.ResourceOptions) -> None:
        protected = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(protect=True))
        super().__init__(HELD, name, {}, protected)
        self.register_outputs(held.outputs)


def held_members(ring: str, members: Iterable[Member]) -> dict[str, HeldMember]:
    """Return the held members of a ring in this stack, by name.

    RunError if one of them is not bypassed: its resources would be created a second time.
    """
    bypassed = {member.name for member in members if member.state == "bypassed"}
    held = {found.member: found for found in _held_in_stack() if found.ring == ring}
    for member in held:
        if member not in bypassed:
            raise pulumi.RunError(
                f"The settings no longer say `state: bypassed` for {member}, but its resources are "
                "still held outside Pulumi's state and would be created a second time. Nothing was "
                f"changed. Run `automate.py rejoin {member}` or `automate.py up`: they restore "
                "the held resources first."
            )
    return held


def _read_state(arguments: Mapping[str, str], attempts: int = _ATTEMPTS) -> Mapping[str, Any]:
    """Return the outputs of a stack's resources, again where the engine is just writing them.

    `pulumi up` writes its state as the program begins, and a file:// backend's files of attributes
    are not written at once: `operate/deployment/backend.py` has more about them.
    """
    try:
        response: Mapping[str, Any] = invoke(READS_STATE, arguments).value or {}
    except Exception as error:  # what `invoke` raises has no type of its own
        if _IS_WRITTEN not in str(error) or attempts == 1:
            raise
        time.sleep(_PAUSE)
        return _read_state(arguments, attempts - 1)
    return response


def _held_in_stack() -> list[HeldMember]:
    organization, stack = pulumi.get_organization(), pulumi.get_stack()
    name = f"{organization}/{pulumi.get_project()}/{stack}"
    arguments = {"stackName": stack if organization == _NO_ORGANIZATION else name}
    response = _read_state(arguments)
    resources = (response.get("outputs") or {}).values()
    return [
        HeldMember.from_outputs(found["outputs"]) for found in resources if found["type"] == HELD
    ]
