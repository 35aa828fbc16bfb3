"""Each member and hop of a ring as AWS sees them now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from handler.quarantine import Place, place_of
from operate.aws.clients import ClientPool
from operate.aws.errors import translate_aws_errors
from operate.deployed import Deployed, DeployedHop, DeployedMember
from operate.monitoring.alarms import ActiveAlarms, active_alarms
from operate.monitoring.probe import Client, Probe
from ring.arn import Arn
from ring.text import counted

_BOTH_IMAGES = "NEW_AND_OLD_IMAGES"
_RECENT = timedelta(minutes=15)
_AT_ONCE = 8
_NOTHING_YET = ("OK", "No records processed", None)


@dataclass(frozen=True)
class MemberStatus:
    """A member: its table, its stream (the images in it) and its tombstones' table."""

    name: str
    region: str
    table: str
    state: str | None
    stream: str | None
    tombstones: str | None
    trouble: tuple[str, ...] = ()


@dataclass(frozen=True)
class HopStatus:
    """A hop: its mapping and the last result of it, its function, and what it has given up.

    `iterator_age` is how old the last record was when the function was given it, in seconds, by the
    latest minute of the last 15 in which there was one; None: there was none. `quarantined` counts
    the objects in the quarantine, up to 1,000. `alarms` names those that ring; None: they cannot be
    seen. `notes` is what is not known for want of a right, and no trouble by itself.
    """

    source: str
    target: str
    mapping: str | None
    last_result: str | None
    iterator_age: float | None
    function: str | None
    quarantined: int | None
    alarms: tuple[str, ...] | None = None
    trouble: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Status:
    """A ring as AWS sees it; members in ring order."""

    members: tuple[MemberStatus, ...]
    hops: tuple[HopStatus, ...]

    @property
    def trouble(self) -> tuple[str, ...]:
        """What is not as it should be, in sentences; empty if all is well."""
        members = [word for member in self.members for word in member.trouble]
        return (*members, *(word for hop in self.hops for word in hop.trouble))

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be seen and is no trouble by itself, in sentences."""
        return tuple(word for hop in self.hops for word in hop.notes)


def status(
    deployed: Deployed,
    clients: ClientPool | None = None,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Status:
    """Ask AWS about everything that a stack has deployed.

    What is gone or may not be seen is told in its place. A bypassed member is not waited for long:
    its region may answer nothing. PrerequisiteError without credentials.
    """
    shared = clients or ClientPool()
    shared.be_brief_in(one.region for one in deployed.members if one.name in deployed.held)
    members = {member.name: member for member in deployed.members}
    ours = [member for member in deployed.members if not member.named_only]
    with translate_aws_errors(), ThreadPoolExecutor(_AT_ONCE) as pool:
        tables = pool.map(lambda member: _member(Probe(shared, member)), ours)
        hops = pool.map(
            lambda hop: _hop(hop, Probe(shared, members[hop.source], hop), members, now()),
            deployed.hops,
        )
        return Status(tuple(tables), tuple(hops))


def _member(asked: Probe) -> MemberStatus:
    member = asked.member
    table = asked.fetch(member.table, _table)
    tombstones = asked.fetch(member.tombstones, _table) if member.tombstones else None
    state = table.get("TableStatus") if table else None
    specification = (table or {}).get("StreamSpecification") or {}
    images = specification.get("StreamViewType")
    if table:
        asked.require(state == "ACTIVE", f"{member.table} is {state}")
        asked.require(
            images == _BOTH_IMAGES,
            f"the stream of {member.table} {f'carries {images}' if images else 'is off'}, and the "
            f"hop needs {_BOTH_IMAGES}",
        )
        latest = table.get("LatestStreamArn")
        asked.require(
            not (images and member.stream_arn) or latest == member.stream_arn,
            f"the stream of {member.table} was switched off and on: the hop reads "
            f"{member.stream_arn}, the table writes to {latest}",
        )
    kept = tombstones.get("TableStatus") if tombstones else None
    asked.require(not tombstones or kept == "ACTIVE", f"{member.tombstones} is {kept}")
    return MemberStatus(
        member.name, member.region, member.table, state, images, kept, tuple(asked.problems)
    )


def _hop(
    hop: DeployedHop, asked: Probe, members: Mapping[str, DeployedMember], now: datetime
) -> HopStatus:
    mapping = asked.fetch(hop.mapping, _mapping) or {}
    function = asked.fetch(hop.function, _function) or {}
    owner = Arn.parse(hop.function).account if hop.function else None
    quarantined = asked.fetch(
        hop.quarantine, lambda client, bucket: _quarantined(client, place_of(bucket, owner))
    )
    age = asked.fetch(hop.function, lambda client, arn: _iterator_age(client, arn, now))
    ends = tuple(members[name] for name in (hop.source, hop.target) if name in members)
    alarms: ActiveAlarms | None = asked.fetch(
        "its alarms", lambda client, _: active_alarms(client("cloudwatch"), hop, ends)
    )
    state, result = mapping.get("State"), mapping.get("LastProcessingResult")
    if mapping:
        asked.require(state == "Enabled", _resting(mapping, hop.source, asked.member.region))
        asked.require(result in _NOTHING_YET, f"the last batch ended with: {result}")
    if function:
        ready = function.get("State", "Active")
        asked.require(ready in ("Active", "Inactive"), f"its function is {ready}")
    asked.require(not quarantined, f"{_lying(quarantined)} in the quarantine {hop.quarantine}")
    for name, says in (alarms.descriptions if alarms else {}).items():
        asked.require(False, f"the alarm {name} rings{says}")
    unseen = alarms.access_denied if alarms else None
    return HopStatus(
        hop.source,
        hop.target,
        state,
        result,
        age,
        function.get("State"),
        quarantined,
        None if alarms is None or unseen else tuple(alarms.descriptions),
        tuple(asked.problems),
        (asked.describe(f"whether alarms ring cannot be seen: {unseen}"),) if unseen else (),
    )


def _resting(mapping: dict[str, Any], source: str, region: str) -> str:
    """How a mapping that is not enabled is, for how long it may rest, and what enables it.

    AWS tells alike of one that the settings pause and of one that somebody has disabled.
    """
    state, why = mapping.get("State"), mapping.get("StateTransitionReason")
    since, age = mapping.get("LastModified"), mapping.get("MaximumRecordAgeInSeconds") or -1
    told = f"its mapping is {state} ({why})"
    if state != "Disabled" or not since:
        return told
    until = since + (timedelta(seconds=age) if age > 0 else timedelta(hours=24))
    return (
        f"{told} since {since:%Y-%m-%d %H:%M %Z}. If the settings say `paused`, run `automate.py "
        f"resume {source}`; if not, somebody has disabled it: `aws lambda "
        f"update-event-source-mapping --uuid {mapping['UUID']} --region {region} --enabled`. It "
        f"goes on where it was; nothing is given up before {until:%Y-%m-%d %H:%M %Z}"
    )


def _lying(objects: int | None) -> str:
    return counted(objects or 0, "object is", "objects are")


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
    """Seconds. The metric is in milliseconds.

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
