"""What a ring has deployed on this machine, as Pulumi's engine keeps it of a stack."""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ring.component_types import HELD
from ring.held import HeldMember
from ring.held_resources import is_owned, member_of_replica, name_in, own_resources, replicas

if TYPE_CHECKING:
    from local.cloud.resources import Location

_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Resource:
    """A created resource: what the program declared, its id, outputs and location.

    `inputs` are the declared ones, with the generated name.
    """

    token: str
    name: str
    id: str
    outputs: Mapping[str, Any]
    location: Location
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Registration:
    """A resource or a component as the program registered it; `provider` is `URN::id`."""

    urn: str
    token: str
    parent: str
    provider: str = ""
    resource: Resource | None = None
    """None: a component."""
    provider_id: str = ""
    """The id, if it is a provider."""
    location: Location | None = None
    """The location, if it is a provider."""


class State:
    """Everything that is deployed, by URN, in the order of creation. Thread-safe.

    `held` are the members whose resources stay as they are: the program declares none of them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._registrations: dict[str, Registration] = {}
        self._outputs: dict[str, Mapping[str, Any]] = {}

    def copy(self) -> State:
        """Return another state with the same contents."""
        copy = State()
        with self._lock:
            copy._registrations = dict(self._registrations)
            copy._outputs = dict(self._outputs)
        return copy

    def add(self, registration: Registration) -> None:
        """Add a resource, or replace it by what it is now."""
        with self._lock:
            self._registrations[registration.urn] = registration

    def set_outputs(self, urn: str, outputs: Mapping[str, Any]) -> None:
        """Set the outputs of a component."""
        with self._lock:
            self._outputs[urn] = outputs

    def get(self, urn: str) -> Registration | None:
        """Return what is deployed under a URN."""
        return self._registrations.get(urn)

    def remove(self, urn: str) -> None:
        """Remove a resource that was deleted."""
        with self._lock:
            self._registrations.pop(urn, None)
            self._outputs.pop(urn, None)

    def registrations(self) -> list[Registration]:
        """Return everything, in the order of creation."""
        with self._lock:
            return list(self._registrations.values())

    def held(self, members: Collection[str]) -> tuple[dict[str, Any], list[Registration]]:
        """Return what the state of a stack would have of these members, held, and their resources.

        The former is by URN, for the program's `ring.held.held_members`.
        """
        documents = [self._document(found) for found in self.registrations()]
        components: dict[str, Any] = {}
        owned: list[Registration] = []
        for replica in replicas(documents):
            if member_of_replica(replica) not in members:
                continue
            own = own_resources(documents, replica)
            mine = [document for document in documents if is_owned(document, own)]
            owned += [self._registrations[document["urn"]] for document in mine]
            held = HeldMember(
                name_in(replica["parent"]), member_of_replica(replica), _text_of_components(mine)
            )
            components[replica["urn"]] = {"type": HELD, "outputs": held.outputs}
        return components, owned

    def _document(self, found: Registration) -> dict[str, Any]:
        return {
            "urn": found.urn,
            "type": found.token,
            "parent": found.parent,
            "provider": found.provider,
            "id": found.provider_id,
            "outputs": self._outputs.get(found.urn, _NOTHING),
            "custom": found.resource is not None,
        }


def _text_of_components(documents: Iterable[Mapping[str, Any]]) -> str:
    resources = [
        {"type": found["type"], "outputs": found["outputs"]}
        for found in documents
        if not found["custom"] and not found["id"]
    ]
    return json.dumps({"resources": resources})
