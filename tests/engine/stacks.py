"""Stacks of the real engine, over an AWS on this machine."""

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
from tests.engine.cli import pulumi_command
from tests.engine.deployed import deployment_of
from tests.engine.outages import Unreachable
from tests.engine.provider.provider import EngineProvider

PROGRAM = PROJECT_ROOT / "__main__.py"


class Engine:
    """The engine, with a home and a backend of its own, and the AWS that its stacks are made in."""

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
        """What goes wrong with calls to the tables."""
        return self._server.faults

    @property
    def users_environment(self) -> Mapping[str, str]:
        """What a user of the command line has set, who knows nothing of this machine's own AWS."""
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
        """Make a stack that nothing is deployed of yet."""
        made = auto.create_stack(name, NAMESPACE, _program, opts=self._options())
        return EngineStack(made, settings)

    def run(self, stack: EngineStack, ring: RunningRing) -> None:
        """Let a ring run what is deployed of a stack now."""
        deployment = deployment_of(stack.state(), self.cloud)
        ring.run(deployment, Settings.parse(stack.settings), self.cloud)

    def run_ring(self, deployed: RingStack, ring: RunningRing) -> None:
        """Let a ring run what the operations have deployed, by the settings that it has now."""
        with deployed._open() as stack:
            resources = (stack.export_stack().deployment or {}).get("resources", [])
        ring.run(deployment_of(resources, self.cloud), deployed.settings(), self.cloud)

    def place(self, region: str) -> Location:
        """Return a place of the account in which a stack's resources are, if it says no other."""
        return self.cloud.place({"region": region})

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
    """A stack of the ring's own program. Each method is one command; what fails raises.

    The answers count the resources by what was, or would be, done to them.
    """

    def __init__(self, stack: auto.Stack, settings: Mapping[str, Any]) -> None:
        self.stack = stack
        self.settings: dict[str, Any] = {}
        self.configure(**settings)

    def configure(self, **changes: Any) -> None:
        """Change some of the ring's settings; None takes one away."""
        told = {**self.settings, **changes}
        self.settings = {key: value for key, value in told.items() if value is not None}
        workspace = self.stack.workspace
        file = workspace.stack_settings(self.stack.name)
        file.config = StackConfig.of(self.settings).encoded()
        workspace.save_stack_settings(self.stack.name, file)

    def state(self) -> list[Mapping[str, Any]]:
        """Return the resources as the engine keeps them."""
        kept = self.stack.export_stack().deployment or {}
        resources: list[Mapping[str, Any]] = kept.get("resources", [])
        return resources

    def preview(self) -> Mapping[str, int]:
        """Tell what `up` would do."""
        with suppress_unraisable():
            return count_changes(self.stack.preview().change_summary)

    def up(self, *, continue_on_error: bool = False) -> Mapping[str, int]:
        """Make what the settings say, all that can be made if told to continue."""
        with suppress_unraisable():
            result = self.stack.up(continue_on_error=continue_on_error)
            return count_changes(result.summary.resource_changes or {})

    def refresh(self) -> Mapping[str, int]:
        """Take in what is there now."""
        return count_changes(self.stack.refresh().summary.resource_changes or {})

    def destroy(self) -> Mapping[str, int]:
        """Delete what is in the stack."""
        return count_changes(self.stack.destroy().summary.resource_changes or {})


@contextmanager
def running_engine(folder: Path) -> Iterator[Engine]:
    """Run an AWS and a provider that the engine attaches to; keep its state in a folder."""
    pulumi_command()
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
