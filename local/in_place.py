"""Change the settings of a running ring: run the program again, and change what differs."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.cloud.cloud import Cloud, CloudError
from local.cloud.program import Deployment, Earlier, run_program
from local.cloud.state import State
from local.cloud.steps import NotInPlaceError, Step
from local.cloud.writer_secrets import create_writer_secrets
from ring.settings.members import members_of
from ring.settings.settings import Settings

if TYPE_CHECKING:
    from local.stack_config import StackConfig

_RESTART = (
    "Nothing was changed. Restart the ring with these settings; a local ring starts with empty "
    "tables."
)


class NotChangedError(Exception):
    """The settings of a running ring were not changed. Says why, and what to do."""


@dataclass(frozen=True)
class Changed:
    """Result of a change, or of its plan: what was done with each resource."""

    steps: tuple[Step, ...]
    seconds: float

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        counts = Counter(step.operation for step in self.steps)
        return {
            "changes": dict(counts),
            "steps": [
                {
                    "operation": step.operation,
                    "type": step.token,
                    "name": step.name,
                    "keys": list(step.keys),
                }
                for step in self.steps
                if step.operation != "same"
            ],
            "seconds": round(self.seconds, 1),
        }


class Deployments:
    """Deploys a stack in a cloud, and afterwards changes what differs.

    `streams` maps adopted streams to the local ones (see `local.cloud.existing_tables`).
    """

    def __init__(self, program: Path, cloud: Cloud, streams: Mapping[str, str]) -> None:
        self.revision = 0
        self._program = program
        self._cloud = cloud
        self._streams = streams
        self._state = State()
        self._secrets: dict[str, str] = {}
        self._lock = threading.Lock()

    def first(self, stack: StackConfig) -> Deployment:
        """Deploy a stack for the first time. Raises `DeployError`."""
        deployment = self._run(stack, dry_run=False)
        self._create_secrets(stack, deployment)
        return deployment

    def plan(self, before: Settings, stack: StackConfig) -> Changed:
        """Return what `change` would do.

        Raises `SettingsError`, `DeployError`, or `NotChangedError` for what needs a restart.
        """
        began = time.monotonic()
        _check_in_place(before, Settings.parse(stack.settings))
        try:
            planned = self._run(stack, dry_run=True)
        except NotInPlaceError as error:
            raise NotChangedError(f"{error} {_RESTART}") from error
        return Changed(planned.steps, time.monotonic() - began)

    def change(
        self,
        before: Settings,
        stack: StackConfig,
        run: Callable[[Deployment], object],
    ) -> Changed:
        """Deploy other settings in place of those `before`.

        New resources are created and others updated; `run` then runs the deployment; resources that
        are no longer declared are deleted last. Raises as `plan`, and `DeployError` also if AWS did
        not answer: the same change then continues from there.
        """
        with self._lock:
            began = time.monotonic()
            self.plan(before, stack)
            deployment = self._run(stack, dry_run=False)
            self._create_secrets(stack, deployment)
            run(deployment)
            # Now the ring has other settings, whether or not what it no longer uses can be deleted.
            self.revision += 1
            self._delete_removed(deployment)
            return Changed(deployment.steps, time.monotonic() - began)

    def _run(self, stack: StackConfig, *, dry_run: bool) -> Deployment:
        members = members_of(Settings.parse(stack.settings))
        bypassed = frozenset(member.name for member in members if member.state == "bypassed")
        earlier = Earlier(self._state, bypassed, dry_run)
        return run_program(self._program, stack, self._cloud, self._streams, earlier)

    def _create_secrets(self, stack: StackConfig, deployment: Deployment) -> None:
        settings = Settings.parse(stack.settings)
        create_writer_secrets(settings, deployment, self._cloud, self._secrets)

    def _delete_removed(self, deployment: Deployment) -> None:
        for found in deployment.removed:
            if found.resource is not None:
                resource = found.resource
                try:
                    self._cloud.delete(
                        resource.token,
                        resource.name,
                        resource.id,
                        resource.location,
                        resource.outputs,
                    )
                except CloudError as error:
                    raise NotChangedError(
                        f"The ring runs with its new settings, but an unused resource was not "
                        f"deleted: {error}"
                    ) from error
            self._state.remove(found.urn)


def _check_in_place(before: Settings, after: Settings) -> None:
    """Raise `NotChangedError` for settings that are only read when the ring starts."""
    if before.distributed.enabled != after.distributed.enabled:
        raise NotChangedError(f"`distributed.enabled` starts a state machine. {_RESTART}")
    for name in ("table", "tombstones", "hops"):
        if getattr(before, name) != getattr(after, name):
            raise NotChangedError(f"`{name}` of a ring with items cannot be changed. {_RESTART}")
    kept = [replace(member, state="in", paused=False) for member in members_of(before)]
    wanted = [replace(member, state="in", paused=False) for member in members_of(after)]
    if kept != wanted:
        raise NotChangedError(
            "Only `state` and `paused` of the members can be changed, not which they are. "
            f"{_RESTART}"
        )
