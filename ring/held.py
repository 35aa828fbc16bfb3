"""What is known of members that are held: bypassed, and out of the engine's sight.

A region that is lost answers nothing, and the engine asks whatever it knows of: it configures each
provider and plans each resource, changed or not. So what a bypassed member has is taken out of the
state, and kept word for word in the outputs of a component of its own
(`operate/held_state.py` does that, and puts it back). The program declares nothing of
such a member but this component.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pulumi
from pulumi.runtime import invoke

from ring.settings.members import Member

HELD = "dynamodb-ring:index:Held"
"""The component's type. It is part of every URN beneath it and never changes."""
READS_STATE = "pulumi:pulumi:readStackResourceOutputs"
"""The engine's own function that tells the outputs of all resources of a stack."""
_NO_ORGANIZATION = "organization"  # what a backend without any calls it


@dataclass(frozen=True)
class HeldMember:
    """What is kept of a member: `ring` and `member` by name, and its resources, as JSON.

    `text` holds them under `resources`, as the state had them, and under `needed` what those refer
    to and what is not the member's own.
    """

    ring: str
    member: str
    text: str

    @cached_property
    def resources(self) -> Sequence[Mapping[str, Any]]:
        """The resources that are the member's."""
        told: Sequence[Mapping[str, Any]] = json.loads(self.text)["resources"]
        return told

    def told_by(self, kind: str) -> list[Mapping[str, Any]]:
        """The outputs of its components of a type."""
        outputs = (one.get("outputs") for one in self.resources if one["type"] == kind)
        return [told for told in outputs if told]

    @property
    def outputs(self) -> dict[str, str]:
        """The component's outputs."""
        return {"ring": self.ring, "member": self.member, "text": self.text}

    @classmethod
    def of(cls, outputs: Mapping[str, Any]) -> HeldMember:
        """Take it from the component's outputs."""
        return cls(outputs["ring"], outputs["member"], outputs["text"])


class HeldMembers(pulumi.ComponentResource):
    """Keeps what is known of a member. Protected: what goes with it is known nowhere else."""

    def __init__(self, name: str, kept: HeldMember, opts: pulumi.ResourceOptions) -> None:
        protected = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(protect=True))
        super().__init__(HELD, name, {}, protected)
        self.register_outputs(kept.outputs)


def held_members(ring: str, members: Iterable[Member]) -> dict[str, HeldMember]:
    """What this stack keeps of the members of a ring, by name.

    RunError if one of them is not bypassed: it would be made anew beside what is there already.
    """
    out = {member.name for member in members if member.state == "bypassed"}
    kept = [one for one in _kept_in_stack() if one.ring == ring]
    for one in kept:
        if one.member not in out:
            raise pulumi.RunError(
                f"{one.member} was bypassed, and what Pulumi knows of it is held back since. The "
                "settings no longer say `state: bypassed`, so it would be created a second time; "
                f"nothing was changed. Run `automate.py rejoin {one.member}`, or `automate.py up`: "
                "they put back what is held."
            )
    return {one.member: one for one in kept}


def _kept_in_stack() -> list[HeldMember]:
    organization, stack = pulumi.get_organization(), pulumi.get_stack()
    name = f"{organization}/{pulumi.get_project()}/{stack}"
    asked = {"stackName": stack if organization == _NO_ORGANIZATION else name}
    told: Mapping[str, Any] = invoke(READS_STATE, asked).value or {}
    resources = told.get("outputs") or {}
    return [HeldMember.of(one["outputs"]) for one in resources.values() if one["type"] == HELD]
