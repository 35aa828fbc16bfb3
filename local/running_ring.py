"""The members and hops of a deployment, running: whoever deployed it, here or Pulumi's engine."""

from __future__ import annotations

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
from ring.settings.members import find_member, members_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

    from local.clients import Clients
    from local.cloud.cloud import Cloud
    from local.cloud.program import Deployment, Resource
    from local.cloudwatch.telemetry import Telemetry
    from ring.settings.members import Member
    from ring.settings.settings import Settings

_FUNCTION = "aws:lambda/function:Function"
_MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"


@dataclass(frozen=True)
class LocalMember:
    """A member of a local ring. `account` is where it is in moto."""

    name: str
    region: str
    table: str
    account: str
    clients: Clients

    @property
    def client(self) -> DynamoDBClient:
        """A client for the member's table."""
        return self.clients.dynamodb(self.region)


class RunningRing:
    """The hops of a deployment, each function in a process of its own, fed by its mapping.

    `members` are those that the hops join, by name, and `hops` are by their labels (`a -> b`), both
    in ring order. `idle` is the time in seconds between two looks at a stream where nothing
    happens. `close` ends everything.
    """

    def __init__(self, settings: Settings, idle: float = IDLE_SECONDS) -> None:
        self.members: Mapping[str, LocalMember] = {}
        self.hops: Mapping[str, LocalHop] = {}
        self.settings = settings
        self._idle = idle
        self._schedule = Schedule()
        self._part: LocalFunction | None = None
        self._part_telemetry: Telemetry | None = None

    def run(self, deployment: Deployment, settings: Settings, cloud: Cloud) -> None:
        """Run what is deployed now.

        A hop whose mapping was there before goes on where it was, with the code and the settings
        that it has now; one that is not there any more ends; the others begin.
        """
        self.settings = settings
        self.members = members_in(deployment, settings, cloud)
        functions = {one.outputs["arn"]: one for one in deployment.of(_FUNCTION)}
        mappings = {one.id: one for one in deployment.of(_MAPPING)}
        before = {hop.mapping_id: hop for hop in self.hops.values()}
        hops: dict[str, LocalHop] = {}
        _end([hop for id_, hop in before.items() if id_ not in mappings])
        self.hops = hops  # what has begun when something fails is ended by `close`
        for names in deployment.outputs.get("hops", ()):
            parts = functions[names["function"]], mappings[names["mapping"]]
            if hop := before.get(names["mapping"]):
                hop.change(*parts)
            else:
                hop = LocalHop(names, *parts)
                hop.function.start()
            hops[hop.label] = hop
        for hop in hops.values():
            hop.mapping.start(self._idle)
        self._schedule.close()
        self._schedule = Schedule()
        self._change_part(deployment, functions)
        self._schedule.start(deployment, self.functions)

    def begin(self, hop: LocalHop, mapping_id: str, outputs: Mapping[str, Any]) -> None:
        """Feed a hop whose mapping was deleted by a new one; `outputs` are as a program's."""
        arn = hop.function.spec.arn
        hop.begin(mapping_id, {**outputs, "functionArn": arn})
        hop.mapping.start(self._idle)

    @property
    def functions(self) -> Mapping[str, Callable[[Any], Any]]:
        """What calls each function that runs here, by its ARN."""
        running = [hop.function for hop in self.hops.values()]
        running += [self._part] if self._part else []
        return {one.spec.arn: one.invoke for one in running}

    def _change_part(self, deployment: Deployment, functions: Mapping[str, Resource]) -> None:
        """Run the function that works on segments, if one is deployed, as it is now."""
        self._close_part()
        told = deployment.outputs.get("distributed")
        if told:
            function = functions[told["function"]]
            telemetry = self._part_telemetry = telemetry_of(function)
            self._part = LocalFunction(
                function_spec(function),
                function.location.clients.endpoint,
                telemetry.hear,
                telemetry.ended,
            )

    def _close_part(self) -> None:
        part, self._part = self._part, None
        telemetry, self._part_telemetry = self._part_telemetry, None
        if part:
            part.close()
        if telemetry:
            telemetry.close()

    def flush(self) -> None:
        """Pass on all that functions logged and measured, rather than when it is time."""
        for hop in self.hops.values():
            hop.telemetry.flush()

    def close(self) -> None:
        """End all hops."""
        self._schedule.close()
        hops, self.hops = self.hops, {}
        self._close_part()
        _end(hops.values())

    def hops_from(self, word: str) -> list[LocalHop]:
        """Return the hops that start at a member, which is named as in `member`."""
        source = self.member(word).name
        return [hop for hop in self.hops.values() if hop.source == source]

    def member(self, word: str) -> LocalMember:
        """Find a member by its name, its region if it is alone there, or `region/table`.

        Raises `ring.settings.members.NoSuchMemberError`.
        """
        here: list[Member] = [
            member for member in members_of(self.settings) if member.name in self.members
        ]
        return self.members[find_member(here, word).name]

    def client(self, word: str) -> DynamoDBClient:
        """Return a client for a member's table. Members are named as in `member`."""
        return self.member(word).client

    @contextmanager
    def paused(self, *sources: str) -> Iterator[None]:
        """Let the hops from these members (all, if none is named) rest while the context lasts."""
        named = [hop for word in sources for hop in self.hops_from(word)]
        hops = named if sources else list(self.hops.values())
        for hop in hops:
            hop.mapping.pause()
        try:
            yield
        finally:
            for hop in hops:
                hop.mapping.resume()

    def wait_until_quiet(self, timeout: float = 180.0) -> None:
        """Wait until every stream is drained and nothing is being delivered.

        Hops that are paused are left out. Raises `TimeoutError` after `timeout` seconds, with what
        was still going on.
        """
        self._wait(list(self.hops.values()), timeout)

    def wait_until_drained(self, word: str, timeout: float = 180.0) -> None:
        """Wait until the hops from a member have told all that its stream held.

        It is for a member that nothing is written to any more. Raises `TimeoutError`.
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
                raise TimeoutError(f"Not quiet after {timeout:g} s: {self._unrest()}")
            if False in quiet:
                # What was delivered may have gone into a stream that was found drained before.
                mark = time.monotonic()
            for mapping in mappings:
                mapping.look()
            time.sleep(0.01)

    def _unrest(self) -> str:
        told = []
        for hop in self.hops.values():
            stats = hop.mapping.stats()
            trouble = stats.trouble or " | ".join(list(hop.function.log)[-1:])
            told.append(f"{hop.label}: {stats.waiting} waiting, {stats.failures} failed; {trouble}")
        return "; ".join(told)

    def differences(self) -> list[ItemDifference]:
        """Compare all members' tables, item by item, the ring's own attributes included."""
        return differences(list(self.members.values()))


def members_in(deployment: Deployment, settings: Settings, cloud: Cloud) -> dict[str, LocalMember]:
    """Return the members that are deployed, by name, in ring order."""
    deployed = {member["name"] for member in deployment.outputs.get("members", ())}
    places = {
        member: cloud.location(provider_arguments(member))
        for member in members_of(settings)
        if member.name in deployed
    }
    return {
        member.name: LocalMember(
            member.name, member.region, member.table, place.account, place.clients
        )
        for member, place in places.items()
    }


def _end(hops: Iterable[LocalHop]) -> None:
    hops = list(hops)
    for hop in hops:
        hop.mapping.stop()
    # A function that is closed ends the invocation that its mapping waits for.
    for hop in hops:
        hop.function.close()
    for hop in hops:
        hop.mapping.close()
        hop.telemetry.close()
