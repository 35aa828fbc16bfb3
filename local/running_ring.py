"""Run the hops of a deployment, made by `local.cloud.program` or by Pulumi's engine."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.cloud.existing_tables import provider_arguments
from local.compare import ItemDifference, differences
from local.hop import LocalHop, function_spec, telemetry_of
from local.lambda_emulator.event_source_mapping import IDLE_SECONDS
from local.lambda_emulator.function import LocalFunction
from local.lambda_emulator.schedule import Schedule
from local.live.recent import Recent
from ring.settings.members import find_member, members_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

    from local.clients import Clients
    from local.cloud.cloud import Cloud
    from local.cloud.program import Deployment
    from local.cloud.state import Resource
    from local.cloudwatch.telemetry import Telemetry
    from ring.settings.members import Member
    from ring.settings.settings import Settings

    _Effect = tuple[Callable[[LocalHop], bool], Callable[[LocalHop], object]]

_FUNCTION = "aws:lambda/function:Function"
_MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"


@dataclass(frozen=True)
class LocalMember:
    """A member of a local ring. `account` is its account in moto."""

    name: str
    region: str
    table: str
    account: str
    clients: Clients

    @property
    def client(self) -> DynamoDBClient:
        """DynamoDB client of the member's region and account."""
        return self.clients.dynamodb(self.region)


class RunningRing:
    """The running hops of a deployment: functions in processes of their own, and their mappings.

    `members` are the deployed members by name, `hops` the hops by label (`a -> b`), both in ring
    order. `idle` is the interval in seconds at which an empty stream is polled; `environment` has
    variables of the functions whose values differ from the stack's. `close` ends everything.
    """

    def __init__(
        self,
        settings: Settings,
        idle: float = IDLE_SECONDS,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.members: Mapping[str, LocalMember] = {}
        self.hops: Mapping[str, LocalHop] = {}
        self.settings = settings
        self.recent = Recent()
        self._idle = idle
        self._environment = environment or {}
        self._schedule = Schedule()
        self._effects: list[_Effect] = []
        self._effects_lock = threading.Lock()
        self._segment_worker: LocalFunction | None = None
        self._segment_telemetry: Telemetry | None = None

    def run(self, deployment: Deployment, settings: Settings, cloud: Cloud) -> None:
        """Run a deployment, in place of an earlier one.

        A hop whose mapping already existed continues at its position with its new code and
        settings; a hop whose mapping no longer exists ends; new hops start.
        """
        self.settings = settings
        self.members = members_in(deployment, settings, cloud)
        functions = {function.outputs["arn"]: function for function in deployment.of(_FUNCTION)}
        mappings = {mapping.id: mapping for mapping in deployment.of(_MAPPING)}
        before = {hop.mapping_id: hop for hop in self.hops.values()}
        _end([hop for id_, hop in before.items() if id_ not in mappings])
        self.hops = {}
        for names in deployment.outputs.get("hops", ()):
            function, mapping = functions[names["function"]], mappings[names["mapping"]]
            if hop := before.get(names["mapping"]):
                hop.change(function, mapping)
            else:
                hop = LocalHop(names, function, mapping, self.recent, self._environment)
                hop.function.start()
            # At once, so that `close` ends it if a later one fails; as another mapping, since other
            # threads iterate over the one before.
            self.hops = {**self.hops, hop.label: hop}
        for hop in self.hops.values():
            self._start(hop)
        self._schedule.close()
        self._schedule = Schedule()
        self._restart_segment_worker(deployment, functions)
        self._schedule.start(deployment, self.functions)

    def begin(self, hop: LocalHop, mapping_id: str, outputs: Mapping[str, Any]) -> None:
        """Give a hop a new mapping after its old one was deleted."""
        arn = hop.function.spec.arn
        hop.begin(mapping_id, {**outputs, "functionArn": arn})
        self._start(hop)

    def _start(self, hop: LocalHop) -> None:
        with self._effects_lock:
            for is_affected, begin in self._effects:
                if is_affected(hop):
                    begin(hop)
        hop.mapping.start(self._idle)

    @contextmanager
    def affected(
        self,
        is_affected: Callable[[LocalHop], bool],
        begin: Callable[[LocalHop], object],
        end: Callable[[LocalHop], object],
    ) -> Iterator[None]:
        """Have an effect on some hops while the context lasts, also on those that start in it."""
        effect = (is_affected, begin)
        with self._effects_lock:
            self._effects.append(effect)
            for hop in filter(is_affected, list(self.hops.values())):
                begin(hop)
        try:
            yield
        finally:
            with self._effects_lock:
                self._effects.remove(effect)
                for hop in filter(is_affected, list(self.hops.values())):
                    end(hop)

    @property
    def functions(self) -> Mapping[str, Callable[[Any], Any]]:
        """The invoke method of each running function, by ARN."""
        running = [hop.function for hop in self.hops.values()]
        running += [self._segment_worker] if self._segment_worker else []
        return {function.spec.arn: function.invoke for function in running}

    def _restart_segment_worker(
        self, deployment: Deployment, functions: Mapping[str, Resource]
    ) -> None:
        """Start the function that processes segments, if one is deployed."""
        self._close_segment_worker()
        distributed = deployment.outputs.get("distributed")
        if distributed:
            function = functions[distributed["function"]]
            telemetry = self._segment_telemetry = telemetry_of(function)
            self._segment_worker = LocalFunction(
                function_spec(function, self._environment),
                function.location.clients.endpoint,
                telemetry.add_line,
                telemetry.add_invocation,
            )

    def _close_segment_worker(self) -> None:
        worker, self._segment_worker = self._segment_worker, None
        telemetry, self._segment_telemetry = self._segment_telemetry, None
        if worker:
            worker.close()
        if telemetry:
            telemetry.close()

    def flush(self) -> None:
        """Deliver the functions' log lines and metrics now, not after the next interval."""
        for hop in list(self.hops.values()):
            hop.telemetry.flush()

    def close(self) -> None:
        """End all hops."""
        self._schedule.close()
        hops, self.hops = self.hops, {}
        self._close_segment_worker()
        _end(hops.values())

    def hops_from(self, word: str) -> list[LocalHop]:
        """Return the hops whose source is a member, given as for `member`."""
        source = self.member(word).name
        return [hop for hop in self.hops.values() if hop.source == source]

    def member(self, word: str) -> LocalMember:
        """Find a member by its name, its region if that has no other member, or `region/table`.

        Raises `ring.settings.members.NoSuchMemberError`.
        """
        deployed: list[Member] = [
            member for member in members_of(self.settings) if member.name in self.members
        ]
        return self.members[find_member(deployed, word).name]

    def client(self, word: str) -> DynamoDBClient:
        """Return a client for the table of a member, given as for `member`."""
        return self.member(word).client

    @contextmanager
    def paused(self, *sources: str) -> Iterator[None]:
        """Pause the hops from these members (without arguments: all) while the context lasts."""
        selected = [hop for word in sources for hop in self.hops_from(word)]
        hops = selected if sources else list(self.hops.values())
        for hop in hops:
            hop.mapping.pause()
        try:
            yield
        finally:
            for hop in hops:
                hop.mapping.resume()

    def wait_until_quiet(self, timeout: float = 180.0) -> None:
        """Wait until every stream is drained and nothing is being delivered.

        Ignores paused hops. Raises `TimeoutError` after `timeout` seconds, with each hop's state.
        """
        self._wait(list(self.hops.values()), timeout)

    def wait_until_drained(self, word: str, timeout: float = 180.0) -> None:
        """Wait until the hops from a member have processed its stream.

        For a member that receives no more writes. Raises `TimeoutError`.
        """
        self._wait(self.hops_from(word), timeout)

    def _wait(self, hops: Sequence[LocalHop], timeout: float) -> None:
        end = time.monotonic() + timeout
        mark = time.monotonic()
        while True:
            mappings = [hop.mapping for hop in hops if not hop.mapping.is_paused]
            quiet = [mapping.was_quiet_after(mark) for mapping in mappings]
            if all(quiet):
                return
            if time.monotonic() > end:
                raise TimeoutError(f"Not quiet after {timeout:g} s: {self._hop_states()}")
            if False in quiet:
                # Deliveries may have written to a stream that was found drained before.
                mark = time.monotonic()
            for mapping in mappings:
                mapping.poll_now()
            time.sleep(0.01)

    def _hop_states(self) -> str:
        states = []
        for hop in self.hops.values():
            stats = hop.mapping.stats()
            trouble = stats.trouble or " | ".join(list(hop.function.log)[-1:])
            states.append(
                f"{hop.label}: {stats.waiting} waiting, {stats.failures} failed; {trouble}"
            )
        return "; ".join(states)

    def differences(self) -> list[ItemDifference]:
        """Compare the tables of all members item by item, including the ring's attributes."""
        return differences(list(self.members.values()))


def members_in(deployment: Deployment, settings: Settings, cloud: Cloud) -> dict[str, LocalMember]:
    """Return the deployed members by name, in ring order."""
    deployed = {member["name"] for member in deployment.outputs.get("members", ())}
    locations = {
        member: cloud.location(provider_arguments(member))
        for member in members_of(settings)
        if member.name in deployed
    }
    return {
        member.name: LocalMember(
            member.name, member.region, member.table, location.account, location.clients
        )
        for member, location in locations.items()
    }


def _end(hops: Iterable[LocalHop]) -> None:
    hops = list(hops)
    for hop in hops:
        hop.mapping.stop()
    # Closing a function ends the invocation for which its mapping waits.
    for hop in hops:
        hop.function.close()
    for hop in hops:
        hop.mapping.close()
        hop.telemetry.close()
