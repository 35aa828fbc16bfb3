"""A ring on this machine: the stack's own program and handler, over moto."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local import control_client, ring_info, settings_control
from local.clients import Accounts
from local.cloud.cloud import Cloud
from local.cloud.existing_tables import make_existing_tables
from local.cloudwatch.alarm_evaluation import Alarms
from local.endpoint.server import LocalServer
from local.endpoint.step_functions import state_machines_executed
from local.faults import control as faults_control
from local.faults.active import ActiveFaults
from local.in_place import Changed, Deployments
from local.lambda_emulator.event_source_mapping import IDLE_SECONDS
from local.live import document as live
from local.moto_patches.streams import RETENTION
from local.moto_patches.ttl import TimeToLive
from local.running_ring import LocalMember, RunningRing
from ring.project import PROJECT_ROOT
from ring.settings.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.cloud.program import Deployment
    from local.endpoint.fault_injection import Faults
    from local.endpoint.listener import Port
    from local.endpoint.request_counter import RequestCounter
    from local.stack_config import StackConfig

__all__ = ["LocalMember", "LocalRing"]

# MiniStack's PartiQL writes do not reach the streams.
_ELSEWHERE = {"RING_WRITES": "single"}

PROGRAM = PROJECT_ROOT / "__main__.py"
"""The program that `pulumi up` deploys."""


class LocalRing(RunningRing):
    """A stack's ring that runs while the context lasts.

    The Pulumi program is run, each declared resource is created in moto, each hop's function runs
    in a process of its own, and an event source mapping feeds it from its table's stream. Members
    in other accounts are in other accounts of moto, whose roles need not exist; a profile without
    an account stands for moto's default account. Adopted tables are created first (see
    `local.cloud.existing_tables`).

    It listens on `port`. `dynamodb` is the URL of a server that holds the tables and their
    streams instead of moto (see `local.endpoint.dynamodb_proxy`); the ring's tables there are
    deleted at the end. `idle` is the interval in seconds at which an empty stream is polled;
    `alarm_speed` is how much faster the alarms' time passes (`local.cloudwatch.alarm_evaluation`);
    moto's streams keep their records for `stream_retention` seconds. The constructor raises
    `SettingsError` or `WrongUrlError`; entering raises `DeployError`, `ServerError` or
    `ProxyError`.
    """

    def __init__(  # noqa: PLR0913 - keywords, each with a default
        self,
        stack: StackConfig,
        *,
        port: Port = 0,
        dynamodb: str | None = None,
        idle: float = IDLE_SECONDS,
        program: Path = PROGRAM,
        alarm_speed: float = 1.0,
        stream_retention: float = RETENTION,
    ) -> None:
        super().__init__(Settings.parse(stack.settings), idle, _ELSEWHERE if dynamodb else {})
        self.stack = stack
        self._server = LocalServer(port, dynamodb, stream_retention)
        self._program = program
        # Another DynamoDB expires its items itself, if at all.
        self._time_to_live = None if dynamodb else TimeToLive()
        unmeasured = frozenset({"AWS/DynamoDB"}) if dynamodb else frozenset()
        self._alarms = Alarms(unmeasured, speed=alarm_speed, before=self.flush)
        self.active_faults = ActiveFaults(self, self.faults)
        self._deployer = f"dynamodb-ring-deployer/{secrets.token_hex(16)}"
        self._end = ExitStack()

    @property
    def endpoint(self) -> str:
        """The URL for AWS SDKs and the AWS CLI."""
        return self._server.endpoint

    @property
    def meter(self) -> RequestCounter:
        """Counts the requests to every table."""
        return self._server.meter

    @property
    def faults(self) -> Faults:
        """Faults to inject into requests to the members' tables."""
        return self._server.faults

    def item_count(self, member: LocalMember) -> int | None:
        """Return the number of items in a member's table, None while its region does not answer."""
        if self.faults.is_lost(member.region):
            return None
        try:
            return member.client.describe_table(TableName=member.table)["Table"]["ItemCount"]
        except (BotoCoreError, ClientError):  # the region may be lost by now
            return None

    def expire(self) -> None:
        """Delete expired items now, without waiting for the next interval."""
        if self._time_to_live is not None:
            self._time_to_live.expire()

    def evaluate_alarms(self) -> None:
        """Evaluate all alarms now, without waiting for the next interval."""
        self.flush()
        self._alarms.evaluate()

    def __enter__(self) -> Self:
        with ExitStack() as end:
            end.enter_context(self._server)
            self._cloud = Cloud(end.enter_context(Accounts(self.endpoint)))
            agent = Config(user_agent_extra=self._deployer)
            deployer = Cloud(end.enter_context(Accounts(self.endpoint, agent)))
            self._streams = make_existing_tables(self.settings, deployer)
            self._deployments = Deployments(self._program, deployer, self._streams)
            end.callback(self.close)
            if self.settings.distributed.enabled:
                end.enter_context(state_machines_executed(self.endpoint))
            self._serve(self._deployments.first(self.stack), self.settings)
            if self._time_to_live is not None:
                end.enter_context(self._time_to_live)
            end.enter_context(self._alarms)
            own = self._server.own
            own.control.offer(self, self._deployer)
            own.pages[live.PATH] = partial(live.live_document, self)
            end.enter_context(self.active_faults.ending())
            faults = faults_control.FaultRequests(self.active_faults)
            settings = settings_control.SettingsRequests(self)
            own.actions[faults_control.PATH] = faults.answer
            own.actions[control_client.SETTINGS_PATH] = settings.answer
            self._end = end.pop_all()
        return self

    @property
    def revision(self) -> int:
        """Number of times that the settings were changed."""
        return self._deployments.revision

    def plan(self, settings: Mapping[str, Any]) -> Changed:
        """Return what `change` would do. Raises as `change`."""
        stack = self.stack.with_settings(settings)
        return self._deployments.plan(self.settings, stack)

    def change(self, settings: Mapping[str, Any]) -> Changed:
        """Deploy other settings, as `up` would, while the ring runs.

        Tables keep their items, and hops that remain continue at their positions. Raises
        `SettingsError`, `NotChangedError` or `DeployError`.
        """
        stack = self.stack.with_settings(settings)
        parsed = Settings.parse(settings)

        def run(deployment: Deployment) -> None:
            self._serve(deployment, parsed)
            self.stack = stack

        return self._deployments.change(self.settings, stack, run)

    def _serve(self, deployment: Deployment, settings: Settings) -> None:
        """Run a deployment, in place of an earlier one, and describe it at the endpoint."""
        self.run(deployment, settings, self._cloud)
        document = ring_info.document(self.members.values(), deployment, self._streams, settings)
        own = self._server.own
        own.invocations.offer(self.functions)
        own.pages[ring_info.PATH] = lambda _: document

    def __exit__(self, *_: object) -> None:
        self._end.close()
