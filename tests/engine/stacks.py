"""Stacks of Pulumi's engine, over the local AWS services."""

from __future__ import annotations

import runpy
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from pulumi import automation as auto

from local.clients import FAKE_CREDENTIALS, Accounts
from local.cloud.cloud import Cloud
from local.cloud.resources import Location
from local.endpoint.fault_injection import Faults
from local.endpoint.request_counter import RequestCounter
from local.endpoint.server import LocalServer
from local.running_ring import RunningRing
from local.stack_config import StackConfig
from operate.deployment.pulumi_errors import suppress_unraisable
from operate.deployment.result import count_changes
from operate.deployment.stack import RingStack
from ring.project import PROJECT_ROOT
from ring.settings.settings import NAMESPACE, Settings
from tests.engine.channels import connect_each_program
from tests.engine.cli import pulumi_command
from tests.engine.deployed import deployment_of
from tests.engine.outages import Unreachable
from tests.engine.provider.provider import EngineProvider

PROGRAM = PROJECT_ROOT / "__main__.py"


class Engine:
    """Pulumi's engine with its own home and backend, and the AWS services of its stacks."""

    def __init__(
        self,
        server: LocalServer,
        cloud: Cloud,
        unreachable: Unreachable,
        environment: Mapping[str, str],
    ) -> None:
        self.cloud = cloud
        self.unreachable = unreachable
        self.environment = environment
        self._server = server

    @property
    def faults(self) -> Faults:
        """Faults to inject into calls to the tables."""
        return self._server.faults

    @property
    def users_environment(self) -> Mapping[str, str]:
        """Environment of a user's shell, with the local AWS services as the endpoint."""
        return {
            **self.environment,
            **FAKE_CREDENTIALS,
            "AWS_ENDPOINT_URL": self.place("us-east-1").clients.endpoint,
            "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
            "AWS_CONFIG_FILE": str(Path(self.environment["PULUMI_HOME"]) / "none"),
        }

    @property
    def meter(self) -> RequestCounter:
        """Counts the requests to every table."""
        return self._server.meter

    def stack(self, name: str, settings: Mapping[str, Any]) -> EngineStack:
        """Create an empty stack."""
        made = auto.create_stack(name, NAMESPACE, _program, opts=self._options())
        return EngineStack(made, settings)

    def run(self, stack: EngineStack, ring: RunningRing) -> None:
        """Run a stack's deployment in a ring."""
        deployment = deployment_of(stack.state(), self.cloud)
        ring.run(deployment, Settings.parse(stack.settings), self.cloud)

    def run_ring(self, deployed: RingStack, ring: RunningRing) -> None:
        """Run in a ring what `operate` has deployed, with the current settings."""
        with deployed._open() as stack:
            resources = (stack.export_stack().deployment or {}).get("resources", [])
        ring.run(deployment_of(resources, self.cloud), deployed.settings(), self.cloud)

    def place(self, region: str) -> Location:
        """Return a region of the stacks' default account."""
        return self.cloud.location({"region": region})

    def _options(self) -> auto.LocalWorkspaceOptions:
        project = auto.ProjectSettings(NAMESPACE, runtime="python")
        return auto.LocalWorkspaceOptions(
            env_vars=dict(self.environment),
            project_settings=project,
            pulumi_command=pulumi_command(),
        )


def _program() -> None:
    runpy.run_path(str(PROGRAM), run_name="__main__")


class EngineStack:
    """A stack of the ring's program. Each method is a command of Pulumi and raises its errors.

    The results are numbers of resources by operation.
    """

    def __init__(self, stack: auto.Stack, settings: Mapping[str, Any]) -> None:
        self.stack = stack
        self.settings: dict[str, Any] = {}
        self.configure(**settings)

    def configure(self, **changes: Any) -> None:
        """Change settings of the ring; None removes one."""
        settings = {**self.settings, **changes}
        self.settings = {key: value for key, value in settings.items() if value is not None}
        workspace = self.stack.workspace
        file = workspace.stack_settings(self.stack.name)
        file.config = StackConfig.of(self.settings).encoded()
        workspace.save_stack_settings(self.stack.name, file)

    def state(self) -> list[Mapping[str, Any]]:
        """Return the resources in the engine's state."""
        deployment = self.stack.export_stack().deployment or {}
        resources: list[Mapping[str, Any]] = deployment.get("resources", [])
        return resources

    def preview(self) -> Mapping[str, int]:
        """Preview `up`."""
        with suppress_unraisable():
            return count_changes(self.stack.preview().change_summary)

    def up(self, *, continue_on_error: bool = False) -> Mapping[str, int]:
        """Deploy the settings; with `continue_on_error`, as far as possible."""
        with suppress_unraisable():
            result = self.stack.up(continue_on_error=continue_on_error)
            return count_changes(result.summary.resource_changes or {})

    def refresh(self) -> Mapping[str, int]:
        """Refresh the state from AWS."""
        return count_changes(self.stack.refresh().summary.resource_changes or {})

    def destroy(self) -> Mapping[str, int]:
        """Delete the stack's resources."""
        return count_changes(self.stack.destroy().summary.resource_changes or {})


@contextmanager
def running_engine(folder: Path) -> Iterator[Engine]:
    """Run AWS services and a provider for the engine; its state is in a folder."""
    pulumi_command()
    connect_each_program()
    backend = folder / "backend"
    backend.mkdir()
    with ExitStack() as end:
        server = end.enter_context(LocalServer())
        cloud = Cloud(end.enter_context(Accounts(server.endpoint)))
        unreachable = Unreachable()
        provider = end.enter_context(EngineProvider(cloud, [unreachable]))
        environment = {
            **provider.environment,
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{backend}",
            "PULUMI_CONFIG_PASSPHRASE": "open",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        yield Engine(server, cloud, unreachable, environment)
