"""A ring on this machine: the stack's own program, handler and mappings over moto."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from local import ring_info
from local.clients import Accounts
from local.cloud.cloud import Cloud
from local.cloud.existing_tables import make_existing_tables
from local.cloud.program import run_program
from local.cloud.writer_secrets import create_writer_secrets
from local.cloudwatch.alarms import Alarms
from local.endpoint.server import LocalServer
from local.endpoint.step_functions import state_machines_executed
from local.lambda_emulator.event_source_mapping import IDLE_SECONDS
from local.moto_patches.ttl import TimeToLive
from local.running_ring import LocalMember, RunningRing
from ring.project import PROJECT_ROOT
from ring.settings.settings import Settings

if TYPE_CHECKING:
    from local.endpoint.fault_injection import Faults
    from local.endpoint.request_counter import RequestCounter
    from local.stack_config import StackConfig

__all__ = ["LocalMember", "LocalRing"]

PROGRAM = PROJECT_ROOT / "__main__.py"
"""The program that `pulumi up` deploys."""


class LocalRing(RunningRing):
    """A stack's ring, running for as long as the context lasts.

    The program is run as Pulumi would run it, each declared resource is made in moto, each hop's
    function runs in a process of its own, and a mapping feeds it from its table's stream. Members
    in other accounts are in other accounts of moto's, whose roles need not exist; a profile that is
    not tied to an account is taken for moto's own. Tables that the stack expects to find are made
    first (see `local.cloud.existing_tables`).

    `port` 0 takes any free one. `dynamodb` is the URL of a server that keeps the tables and
    their streams instead of moto (see `local.endpoint.dynamodb_proxy`); what the ring puts there is
    deleted in the end. `idle` is the time in seconds between two looks at a stream where nothing
    happens. Making one raises `SettingsError` or `WrongUrlError`, entering it `DeployError`,
    `ServerError` or `ProxyError`.
    """

    def __init__(
        self,
        stack: StackConfig,
        *,
        port: int = 0,
        dynamodb: str | None = None,
        idle: float = IDLE_SECONDS,
        program: Path = PROGRAM,
    ) -> None:
        super().__init__(Settings.parse(stack.settings), idle)
        self.stack = stack
        self._server = LocalServer(port, dynamodb)
        self._program = program
        # A DynamoDB elsewhere expires its own items, or does not.
        self._time_to_live = None if dynamodb else TimeToLive(self._server.own.alone)
        unmeasured = frozenset({"AWS/DynamoDB"}) if dynamodb else frozenset()
        self._alarms = Alarms(self._server.own.alone, unmeasured)
        self._end = ExitStack()

    @property
    def endpoint(self) -> str:
        """The URL that any AWS SDK or the AWS CLI can be pointed at."""
        return self._server.endpoint

    @property
    def meter(self) -> RequestCounter:
        """Counts the requests to every table."""
        return self._server.meter

    @property
    def faults(self) -> Faults:
        """What goes wrong with the members' tables, for as long as it is put there."""
        return self._server.faults

    def expire(self) -> None:
        """Delete what has expired by now, rather than when it is time to look for it."""
        if self._time_to_live is not None:
            self._time_to_live.look()

    def judge_alarms(self) -> None:
        """Judge all alarms by what is measured now, rather than when it is time."""
        self.flush()
        self._alarms.look()

    def __enter__(self) -> Self:
        with ExitStack() as end:
            end.enter_context(self._server)
            cloud = Cloud(end.enter_context(Accounts(self.endpoint)))
            streams = make_existing_tables(self.settings, cloud)
            end.callback(self.close)
            if self.settings.distributed.enabled:
                end.enter_context(state_machines_executed(self.endpoint))
            deployment = run_program(self._program, self.stack, cloud, streams)
            create_writer_secrets(self.settings, deployment, cloud)
            self.run(deployment, self.settings, cloud)
            if self._time_to_live is not None:
                end.enter_context(self._time_to_live)
            end.enter_context(self._alarms)
            self._server.own.invocations.offer(self.functions)
            self._server.own.control.offer(self)
            told = ring_info.page(self.members.values(), deployment, streams)
            self._server.own.pages[ring_info.PATH] = told
            self._end = end.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.close()
