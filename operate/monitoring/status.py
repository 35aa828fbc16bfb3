"""Current state of each member and hop in AWS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from handler.quarantine import Place, place_of
from operate.aws.clients import ClientPool
from operate.aws.errors import translate_aws_errors
from operate.aws.mapping_results import problem_of
from operate.deployed import Deployed, DeployedHop, DeployedMember
from operate.monitoring.active_alarms import ActiveAlarms, active_alarms
from operate.monitoring.probe import Client, Probe
from operate.rings import Command
from ring.arn import Arn
from ring.text import counted

_BOTH_IMAGES = "NEW_AND_OLD_IMAGES"
_RECENT = timedelta(minutes=15)
_AT_ONCE = 8


@dataclass(frozen=True)
class _Advice:
    """What to do about problems depends on where the ring is, and on which commands select it."""

    is_local: bool
    command: Command

    def enable(self, mapping: Mapping[str, Any], region: str) -> str:
        """Return how to enable an event source mapping that was disabled by hand."""
        if self.is_local:
            return "UpdateEventSourceMapping enables it"
        return (
            f"`aws lambda update-event-source-mapping --uuid {mapping['UUID']} --region {region} "
            "--enabled`"
        )


@dataclass(frozen=True)
class MemberStatus:
    """State of a member: its table, its stream (the view type) and its tombstone table.

    `items` is the number of items by DescribeTable, which AWS updates about every six hours.
    `notes` says if it is bypassed.
    """

    name: str
    region: str
    table: str
    state: str | None
    stream: str | None
    tombstones: str | None
    problems: tuple[str, ...] = ()
    items: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class HopStatus:
    """State of a hop: its mapping with its last result, its function, its quarantine, its alarms.

    `iterator_age` is Lambda's iterator age in seconds, of the latest minute of the last 15 that has
    one. `quarantined` counts the objects in the quarantine, up to 1,000. `alarms` are the names of
    the alarms in state ALARM; None: unknown. `notes` is what missing permissions leave unknown.
    """

    source: str
    target: str
    mapping: str | None
    last_result: str | None
    iterator_age: float | None
    function: str | None
    quarantined: int | None
    alarms: tuple[str, ...] | None = None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Status:
    """State of a ring; members in ring order."""

    members: tuple[MemberStatus, ...]
    hops: tuple[HopStatus, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """Problems, in sentences; empty if there are none."""
        members = [text for member in self.members for text in member.problems]
        return (*members, *(text for hop in self.hops for text in hop.problems))

    @property
    def notes(self) -> tuple[str, ...]:
        """Which members are bypassed and what missing permissions leave unknown, in sentences."""
        members = [text for member in self.members for text in member.notes]
        return (*members, *(text for hop in self.hops for text in hop.notes))


def status(
    deployed: Deployed,
    clients: ClientPool,
    *,
    command: Command,
    is_local: bool = False,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Status:
    """Read the state of everything that a stack has deployed.

    A missing resource, or one without read permission, is a problem in the result, and so is a
    region that does not answer within seconds. Raises `PrerequisiteError` without credentials.

    `command` completes the commands that problems advise; of a ring on this machine (`is_local`)
    they name none of the AWS CLI.
    """
    advice = _Advice(is_local, command)
    members = {member.name: member for member in deployed.members}
    own = [member for member in deployed.members if not member.named_only]
    with translate_aws_errors(), ThreadPoolExecutor(_AT_ONCE) as pool:
        tables = pool.map(
            lambda member: _member(Probe(clients, member), member.name in deployed.held, advice),
            own,
        )
        hops = pool.map(
            lambda hop: _hop(hop, Probe(clients, members[hop.source], hop), members, now(), advice),
            deployed.hops,
        )
        return Status(tuple(tables), tuple(hops))


def _member(probe: Probe, is_bypassed: bool, advice: _Advice) -> MemberStatus:
    member = probe.member
    table = probe.fetch(member.table, _table)
    tombstones = probe.fetch(member.tombstones, _table) if member.tombstones else None
    state = table.get("TableStatus") if table else None
    specification = (table or {}).get("StreamSpecification") or {}
    images = specification.get("StreamViewType")
    if table:
        probe.require(state == "ACTIVE", f"{member.table} is {state}")
        probe.require(
            images == _BOTH_IMAGES,
            f"the stream of {member.table} {f'has {images}' if images else 'is off'}, and the hop "
            f"needs {_BOTH_IMAGES}",
        )
        latest = table.get("LatestStreamArn")
        probe.require(
            not (images and member.stream_arn) or latest == member.stream_arn,
            f"the stream of {member.table} was switched off and on: the hop reads "
            f"{member.stream_arn}, the table writes to {latest}",
        )
    tombstone_state = tombstones.get("TableStatus") if tombstones else None
    probe.require(
        not tombstones or tombstone_state == "ACTIVE", f"{member.tombstones} is {tombstone_state}"
    )
    probe.require(probe.no_answer is None, _no_answer(probe, is_bypassed, advice))
    return MemberStatus(
        member.name,
        member.region,
        member.table,
        state,
        images,
        tombstone_state,
        tuple(probe.problems),
        table.get("ItemCount") if table else None,
        (_bypassed(member.name, advice),) if is_bypassed else (),
    )


def _bypassed(name: str, advice: _Advice) -> str:
    rejoin = advice.command(f"rejoin {name}")
    return f"{name} is bypassed: the ring is closed around it until {rejoin}"


def _no_answer(probe: Probe, is_bypassed: bool, advice: _Advice) -> str:
    name, error = probe.member.name, str(probe.no_answer).rstrip(".")
    bypass = f". If it is lost, {advice.command(f'bypass {name}')} closes the ring around it"
    return f"{probe.member.region} does not answer: {error}{'' if is_bypassed else bypass}"


def _hop(
    hop: DeployedHop,
    probe: Probe,
    members: Mapping[str, DeployedMember],
    now: datetime,
    advice: _Advice,
) -> HopStatus:
    mapping = probe.fetch(hop.mapping, _mapping) or {}
    function = probe.fetch(hop.function, _function) or {}
    owner = Arn.parse(hop.function).account if hop.function else None
    quarantined = probe.fetch(
        hop.quarantine, lambda client, bucket: _quarantined(client, place_of(bucket, owner))
    )
    age = probe.fetch(hop.function, lambda client, arn: _iterator_age(client, arn, now))
    ends = (members[hop.source], members[hop.target])
    alarms: ActiveAlarms | None = probe.fetch(
        "its alarms", lambda client, _: active_alarms(client("cloudwatch"), hop, ends)
    )
    probe.require(probe.no_answer is None, f"{probe.member.region} does not answer")
    state, result = mapping.get("State"), mapping.get("LastProcessingResult")
    if mapping:
        probe.require(
            state == "Enabled", _describe_mapping(mapping, hop.source, probe.member.region, advice)
        )
        problem = problem_of(mapping)
        probe.require(problem is None, f"the last batch ended with: {problem}")
    if function:
        ready = function.get("State", "Active")
        probe.require(ready in ("Active", "Inactive"), f"its function is {ready}")
    probe.require(
        not quarantined, f"{counted(quarantined or 0, 'object')} in the quarantine {hop.quarantine}"
    )
    for name, description in (alarms.descriptions if alarms else {}).items():
        probe.require(False, f"{name} is in ALARM{description}")
    denied = alarms.access_denied if alarms else None
    return HopStatus(
        hop.source,
        hop.target,
        state,
        result,
        age,
        function.get("State"),
        quarantined,
        None if alarms is None or denied else tuple(alarms.descriptions),
        tuple(probe.problems),
        (probe.describe(f"its alarms cannot be read: {denied}"),) if denied else (),
    )


def _describe_mapping(mapping: dict[str, Any], source: str, region: str, advice: _Advice) -> str:
    """Describe a mapping that is not enabled, its deadline, and how to enable it.

    AWS does not say whether the settings pause it or somebody has disabled it by hand.
    """
    state, reason = mapping.get("State"), mapping.get("StateTransitionReason")
    since, age = mapping.get("LastModified"), mapping.get("MaximumRecordAgeInSeconds") or -1
    text = f"its event source mapping is {state} ({reason})"
    if state != "Disabled" or not since:
        return text
    until = since + (timedelta(seconds=age) if age > 0 else timedelta(hours=24))
    return (
        f"{text} since {since:%Y-%m-%d %H:%M %Z}. Enable it before {until:%Y-%m-%d %H:%M %Z}, or "
        "records go to the quarantine: if the settings say `paused`, run "
        f"{advice.command(f'resume {source}')}; if not, it was disabled by hand: "
        f"{advice.enable(mapping, region)}. It continues where it stopped"
    )


def _table(client: Client, name: str) -> dict[str, Any]:
    table: dict[str, Any] = client("dynamodb").describe_table(TableName=name)["Table"]
    return table


def _mapping(client: Client, uuid: str) -> dict[str, Any]:
    mapping: dict[str, Any] = client("lambda").get_event_source_mapping(UUID=uuid)
    return mapping


def _function(client: Client, arn: str) -> dict[str, Any]:
    function: dict[str, Any] = client("lambda").get_function_configuration(FunctionName=arn)
    return function


def _quarantined(client: Client, place: Place) -> int:
    return int(client("s3").list_objects_v2(**place)["KeyCount"])


def _iterator_age(client: Client, function: str, now: datetime) -> float | None:
    """Return the latest iterator age in seconds. The metric is in milliseconds.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    """
    points = client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="IteratorAge",
        Dimensions=[{"Name": "FunctionName", "Value": function.rpartition(":")[2]}],
        StartTime=now - _RECENT,
        EndTime=now,
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    latest = max(points, key=lambda point: point["Timestamp"], default=None)
    return None if latest is None else latest["Maximum"] / 1000
