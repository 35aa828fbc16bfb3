"""Runs the stack's own Pulumi program in this process, without the CLI, over a local cloud."""

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
    """The program failed. Its text is meant for the person who wrote the settings."""


@dataclass(frozen=True)
class Resource:
    """A resource that the program declared and that is real now, in its place."""

    token: str
    name: str
    id: str
    outputs: Mapping[str, Any]
    place: Location


@dataclass(frozen=True)
class Deployment:
    """What a program made, and what it exports."""

    outputs: Mapping[str, Any]
    resources: tuple[Resource, ...]

    def of(self, token: str) -> list[Resource]:
        """Return the resources of one type."""
        return [resource for resource in self.resources if resource.token == token]


def run_program(
    program: Path, stack: StackConfig, cloud: Cloud, streams: Mapping[str, str] | None = None
) -> Deployment:
    """Run a Pulumi program and make real what it declares; return when all of it is there.

    `streams` maps the ARNs of streams that the settings name to those of the local tables that
    stand for them. Raises `DeployError`.
    """
    mocks = _LocalCloud(cloud, streams or {})
    monitor = _Monitor(mocks)
    errors: list[BaseException] = []

    async def deploy() -> None:
        # As Pulumi's set_mocks does, which would also make a stack, and would keep the outputs
        # that a program which failed earlier left unfinished.
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

    # Pulumi keeps what belongs to one run in context variables; a new thread begins with none.
    thread = threading.Thread(target=run, name="program")
    thread.start()
    thread.join()
    if errors:
        raise _told(errors[0])
    return Deployment(monitor.exported, tuple(mocks.resources))


def _run(program: Path) -> None:
    runpy.run_path(str(program), run_name="__main__")


def _told(error: BaseException) -> BaseException:
    """Turn what happened inside into one error with a sentence in it."""
    if isinstance(error, (pulumi.RunError, CloudError)):
        told = DeployError(str(error))
    elif isinstance(error, Exception):
        told = DeployError(f"The program failed: {type(error).__name__}: {error}")
    else:
        return error
    told.__cause__ = error
    return told


@contextmanager
def _importing_from(directory: Path) -> Iterator[None]:
    """Let a program import what lies beside it, as when Python runs it."""
    sys.path.insert(0, str(directory))
    try:
        yield
    finally:
        sys.path.remove(str(directory))


class _LocalCloud(Mocks):
    """Makes each declared resource for real. Pulumi calls it from several threads."""

    def __init__(self, cloud: Cloud, streams: Mapping[str, str]) -> None:
        self.resources: list[Resource] = []
        self._cloud = cloud
        self._streams = streams
        self._places: dict[str, Location] = {}

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        """Make a resource; return its id and outputs."""
        if not args.custom:
            return "", args.inputs
        _refuse_wrong_arguments(args)
        if args.typ == PROVIDER:
            provider = str(uuid.uuid4())
            self._places[provider] = self._cloud.place(args.inputs)
            return provider, args.inputs
        place = self._place(args.name, args.provider)
        inputs = args.inputs
        if args.typ == _MAPPING:
            arn = inputs["eventSourceArn"]
            inputs = {**inputs, "eventSourceArn": self._streams.get(arn, arn)}
        made, outputs = self._cloud.create(args.typ, args.name, inputs, place)
        self.resources.append(Resource(args.typ, args.name, made, outputs, place))
        return made, outputs

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        """Answer a call of one of the AWS provider's functions, or of the engine's own."""
        if args.token == READS_STATE:
            return {"outputs": {}}, []  # nothing is kept from one run to the next
        return self._cloud.call(args.token, self._place(args.token, args.provider)), []

    def _place(self, name: str, provider: str | None) -> Location:
        """Find the place of a provider, which is known by its URN and id."""
        place = self._places.get((provider or "").rpartition("::")[2])
        if place is None:
            raise CloudError(f"{name} has no aws.Provider of its own, so its region is not known.")
        return place


def _refuse_wrong_arguments(args: MockResourceArgs) -> None:
    """Refuse what Pulumi's AWS provider would not take. Raises `CloudError`."""
    inputs = provider_inputs(args.inputs) if args.typ == PROVIDER else args.inputs
    wrong = failures(args.typ, inputs)
    if wrong:
        told = "; ".join(f"{failure.property}: {failure.reason}" for failure in wrong)
        raise CloudError(f"{args.name} ({args.typ}): {told}")


class _Monitor(MockMonitor):
    """Keeps what the program exports."""

    def __init__(self, mocks: Mocks) -> None:
        super().__init__(mocks)
        self.exported: dict[str, Any] = {}

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        if "::pulumi:pulumi:Stack::" in request.urn:
            self.exported = rpc.deserialize_properties(request.outputs)
        parent: Any = super()
        return parent.RegisterResourceOutputs(request)
