"""Run the stack's Pulumi program in this process, without the CLI, against a local cloud."""

from __future__ import annotations

import asyncio
import runpy
import sys
import threading
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.runtime import rpc
from pulumi.runtime.config import set_all_config
from pulumi.runtime.mocks import (
    MockCallArgs,
    MockEngine,
    MockMonitor,
    MockResourceArgs,
    Mocks,
    MockSettings,
)
from pulumi.runtime.settings import configure
from pulumi.runtime.stack import run_in_stack

from local.cloud.cloud import PROVIDER, CloudError, provider_inputs
from local.cloud.errors import StartError
from local.cloud.state import Registration, State
from local.cloud.steps import Deployer, NotInPlaceError, Step
from local.cloud.validation import failures
from ring.held import READS_STATE
from ring.settings.settings import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from local.cloud.cloud import Cloud
    from local.cloud.resources import Location
    from local.cloud.state import Resource
    from local.stack_config import StackConfig

_MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"


class DeployError(StartError):
    """The program failed. The message is for the person who wrote the settings."""


@dataclass(frozen=True)
class Deployment:
    """The resources of a program, and its exported outputs; what was done to each of them.

    `removed` are those of an earlier run that the program no longer declares: they still exist.
    """

    outputs: Mapping[str, Any]
    resources: tuple[Resource, ...]
    steps: tuple[Step, ...] = ()
    removed: tuple[Registration, ...] = ()

    def of(self, token: str) -> list[Resource]:
        """Return the resources of one type."""
        return [resource for resource in self.resources if resource.token == token]


@dataclass(frozen=True)
class Earlier:
    """What earlier runs have deployed, and what this run keeps as it is.

    `held` are the names of the bypassed members: their resources are not touched. In a dry run
    nothing is changed, neither `state` nor anything in the cloud.
    """

    state: State
    held: frozenset[str] = frozenset()
    dry_run: bool = False


def run_program(
    program: Path,
    stack: StackConfig,
    cloud: Cloud,
    streams: Mapping[str, str] | None = None,
    earlier: Earlier | None = None,
) -> Deployment:
    """Run a Pulumi program, and create or update every resource that it declares.

    `streams` maps the ARNs of adopted streams in the settings to those of their local stand-ins.
    Raises `DeployError`. The state of `earlier` then has what was done until the error.
    """
    mocks = _LocalCloud(cloud, streams or {}, earlier or Earlier(State()))
    monitor = _Monitor(mocks)
    errors: list[BaseException] = []

    async def deploy() -> None:
        # Like Pulumi's set_mocks, which would also create a stack and keep the unresolved outputs
        # of an earlier program that failed.
        mock_settings: Any = MockSettings
        configure(
            mock_settings(
                monitor=monitor,
                engine=MockEngine(None),
                project=NAMESPACE,
                stack=stack.name,
                dry_run=False,
                outputs=set(),
            )
        )
        set_all_config(stack.encoded())
        await run_in_stack(lambda: _run(program))

    def run() -> None:
        try:
            with _importing_from(program.parent), asyncio.Runner() as runner:
                runner.run(deploy())
        except BaseException as error:
            errors.append(error)

    # Pulumi keeps the state of a run in context variables; a new thread starts with none.
    thread = threading.Thread(target=run, name="program")
    thread.start()
    thread.join()
    if errors:
        raise _to_deploy_error(errors[0])
    return mocks.deployment(monitor.exported)


def _run(program: Path) -> None:
    runpy.run_path(str(program), run_name="__main__")


def _to_deploy_error(error: BaseException) -> BaseException:
    """Turn an error of the program into a `DeployError`; leave interrupts as they are."""
    if isinstance(error, NotInPlaceError):
        return error
    if isinstance(error, (pulumi.RunError, CloudError)):
        deploy_error = DeployError(str(error))
    elif isinstance(error, Exception):
        deploy_error = DeployError(f"The program failed: {type(error).__name__}: {error}")
    else:
        return error
    deploy_error.__cause__ = error
    return deploy_error


@contextmanager
def _importing_from(directory: Path) -> Iterator[None]:
    """Put the program's directory on the path, as when Python runs it as a script."""
    sys.path.insert(0, str(directory))
    try:
        yield
    finally:
        sys.path.remove(str(directory))


class _LocalCloud(Mocks):
    """Create or update each declared resource. Pulumi calls it from several threads."""

    def __init__(self, cloud: Cloud, streams: Mapping[str, str], earlier: Earlier) -> None:
        self.current = threading.local()
        """The `request` that the thread handles."""
        self._cloud = cloud
        self._streams = streams
        self._state = earlier.state.copy() if earlier.dry_run else earlier.state
        self._before = {found.urn: found for found in self._state.registrations()}
        self._held, self._held_resources = self._state.held(earlier.held)
        self._deployer = Deployer(cloud, dry_run=earlier.dry_run)
        self._steps: dict[str, Step | None] = {}
        self._locations = {
            found.provider_id: found.location
            for found in self._held_resources
            if found.provider_id and found.location
        }

    def deployment(self, outputs: Mapping[str, Any]) -> Deployment:
        """Return what is deployed after the program has ended."""
        kept = {*self._steps, *(found.urn for found in self._held_resources)}
        registrations = self._state.registrations()
        removed = tuple(found for found in reversed(registrations) if found.urn not in kept)
        return Deployment(
            outputs,
            tuple(
                found.resource for found in registrations if found.resource and found.urn in kept
            ),
            (
                *(step for step in self._steps.values() if step),
                *(self._deployer.removal(found.resource) for found in removed if found.resource),
            ),
            removed,
        )

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        """Create or update a resource; return its id and outputs."""
        request = self.current.request
        found = Registration(self.current.urn, args.typ, request.parent, args.provider or "")
        if not args.custom:
            self._add(found, None)
            return "", args.inputs
        _validate_arguments(args)
        if args.typ == PROVIDER:
            return self._provider(found, args.inputs), args.inputs
        location = self._location(args.name, args.provider)
        inputs = args.inputs
        if args.typ == _MAPPING:
            arn = inputs["eventSourceArn"]
            inputs = {**inputs, "eventSourceArn": self._streams.get(arn, arn)}
        before = self._before.get(found.urn)
        if before is None or before.resource is None:
            resource, step = self._deployer.create(args.typ, args.name, inputs, location)
        else:
            old = before.resource.inputs
            ignored = {name: old[name] for name in request.ignoreChanges if name in old}
            inputs = {**inputs, **ignored}
            resource, step = self._deployer.update(before.resource, inputs, location)
        self._add(replace(found, resource=resource), step)
        return resource.id, dict(resource.outputs)

    def _provider(self, found: Registration, inputs: Mapping[str, Any]) -> str:
        before = self._before.get(found.urn)
        id_ = before.provider_id if before else str(uuid.uuid4())
        location = self._locations[id_] = self._cloud.location(inputs)
        self._add(replace(found, provider_id=id_, location=location), None)
        return id_

    def _add(self, found: Registration, step: Step | None) -> None:
        self._state.add(found)
        self._steps[found.urn] = step

    def set_outputs(self, urn: str, outputs: Mapping[str, Any]) -> None:
        """Set the outputs of a component."""
        self._state.set_outputs(urn, outputs)

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        """Call a function of the AWS provider or of the engine."""
        if args.token == READS_STATE:
            return {"outputs": self._held}, []
        answer = self._cloud.call(args.token, args.args, self._location(args.token, args.provider))
        for given, made in self._streams.items():
            if answer.get("streamArn") == made:
                answer["streamArn"] = given
        return answer, []

    def _location(self, name: str, provider: str | None) -> Location:
        """Find the location of a provider by its reference, `URN::id`."""
        location = self._locations.get((provider or "").rpartition("::")[2])
        if location is None:
            raise CloudError(f"{name}: no aws.Provider given, so its region is unknown. Pass one.")
        return location


def _validate_arguments(args: MockResourceArgs) -> None:
    """Validate a resource's arguments as Pulumi's AWS provider does. Raises `CloudError`."""
    inputs = provider_inputs(args.inputs) if args.typ == PROVIDER else args.inputs
    if found := failures(args.typ, inputs):
        reasons = "; ".join(f"{failure.property}: {failure.reason}" for failure in found)
        raise CloudError(f"{args.name} ({args.typ}): {reasons}")


class _Monitor(MockMonitor):
    """A mock monitor that records where resources are, and the program's exported outputs."""

    def __init__(self, mocks: _LocalCloud) -> None:
        super().__init__(mocks)
        self.exported: dict[str, Any] = {}
        self._cloud = mocks

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        parent: Any = super()
        current = self._cloud.current
        current.request = request
        current.urn = parent.make_urn(request.parent, request.type, request.name)
        return parent.RegisterResource(request)

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        outputs = rpc.deserialize_properties(request.outputs)
        if "::pulumi:pulumi:Stack::" in request.urn:
            self.exported = outputs
        else:
            self._cloud.set_outputs(request.urn, outputs)
        parent: Any = super()
        return parent.RegisterResourceOutputs(request)
