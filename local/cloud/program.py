"""Run the stack's Pulumi program in this process, without the CLI, against a local cloud."""

from __future__ import annotations

import asyncio
import runpy
import sys
import threading
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
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
from local.cloud.validation import failures
from ring.held import READS_STATE
from ring.settings.settings import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from local.cloud.cloud import Cloud
    from local.cloud.resources import Location
    from local.stack_config import StackConfig

_MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"


class DeployError(Exception):
    """The program failed. The message is for the person who wrote the settings."""


@dataclass(frozen=True)
class Resource:
    """A created resource: what the program declared, its id, outputs and location."""

    token: str
    name: str
    id: str
    outputs: Mapping[str, Any]
    location: Location


@dataclass(frozen=True)
class Deployment:
    """The resources that a program created, and its exported outputs."""

    outputs: Mapping[str, Any]
    resources: tuple[Resource, ...]

    def of(self, token: str) -> list[Resource]:
        """Return the resources of one type."""
        return [resource for resource in self.resources if resource.token == token]


def run_program(
    program: Path, stack: StackConfig, cloud: Cloud, streams: Mapping[str, str] | None = None
) -> Deployment:
    """Run a Pulumi program and create every resource that it declares.

    `streams` maps the ARNs of adopted streams in the settings to those of their local stand-ins.
    Raises `DeployError`.
    """
    mocks = _LocalCloud(cloud, streams or {})
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
    return Deployment(monitor.exported, tuple(mocks.resources))


def _run(program: Path) -> None:
    runpy.run_path(str(program), run_name="__main__")


def _to_deploy_error(error: BaseException) -> BaseException:
    """Turn an error of the program into a `DeployError`; leave interrupts as they are."""
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
    """Create each declared resource. Pulumi calls it from several threads."""

    def __init__(self, cloud: Cloud, streams: Mapping[str, str]) -> None:
        self.resources: list[Resource] = []
        self._cloud = cloud
        self._streams = streams
        self._locations: dict[str, Location] = {}

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        """Create a resource; return its id and outputs."""
        if not args.custom:
            return "", args.inputs
        _validate_arguments(args)
        if args.typ == PROVIDER:
            provider = str(uuid.uuid4())
            self._locations[provider] = self._cloud.location(args.inputs)
            return provider, args.inputs
        location = self._location(args.name, args.provider)
        inputs = args.inputs
        if args.typ == _MAPPING:
            arn = inputs["eventSourceArn"]
            inputs = {**inputs, "eventSourceArn": self._streams.get(arn, arn)}
        id_, outputs = self._cloud.create(args.typ, args.name, inputs, location)
        self.resources.append(Resource(args.typ, args.name, id_, outputs, location))
        return id_, outputs

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        """Call a function of the AWS provider or of the engine."""
        if args.token == READS_STATE:
            return {"outputs": {}}, []  # there is no state of an earlier run
        return self._cloud.call(args.token, self._location(args.token, args.provider)), []

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
    """A mock monitor that records the program's exported outputs."""

    def __init__(self, mocks: Mocks) -> None:
        super().__init__(mocks)
        self.exported: dict[str, Any] = {}

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        if "::pulumi:pulumi:Stack::" in request.urn:
            self.exported = rpc.deserialize_properties(request.outputs)
        parent: Any = super()
        return parent.RegisterResourceOutputs(request)
