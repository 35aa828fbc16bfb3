"""Read a function's configuration from its environment variables.

``ring/resources/function_environment.py`` sets them.

A deployment changes a function's environment first and its code after, so for a while code of one
version runs with the environment of the next; if the second step fails, it stays so. Therefore:

- a new variable has a default, with which the function does what it did without the variable;
- unknown variables are ignored;
- the meaning of a variable never changes, and it is not removed while older code requires it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from handler.aws.clients import Http
from handler.model.image import Key
from handler.model.records import read_item
from handler.protocol.decide import ReplicaId
from handler.protocol.hop import Hop
from handler.store.dynamodb import MemberTables, Store

_DAY = 24 * 60 * 60


class HopConfigError(Exception):
    """Environment variables of the function that are missing or invalid."""


@dataclass(frozen=True)
class HopConfig:
    """Configuration of the hop that a function replicates."""

    source_replica: ReplicaId
    target_replica: ReplicaId
    source: MemberTables
    target: MemberTables
    replicates_expiry: bool
    quarantine: str
    quarantine_owner: str | None
    """The account that the quarantine must belong to; None: that was not told yet."""
    target_access: str | None
    """ARN of the role to assume for calls to the target's tables or, in another partition, of the
    secret with a user's keys; None: the function's own role."""
    heartbeat: Key | None
    """Key of the item that this member's heartbeats are written to; None: heartbeats are off."""
    batches: bool
    """Whether to batch writes and reads of many keys into one request, if possible."""
    logs_items: bool
    """Whether the log line of a conflict has the contents of its items."""
    http: Http
    """HTTP client for calls to DynamoDB."""

    @property
    def name(self) -> str:
        """Name of the hop in log lines and metrics."""
        members = (self.source_replica, self.target_replica)
        return " -> ".join(f"{member.region}/{member.table}" for member in members)

    def hop(self, source: Store, target: Store) -> Hop:
        """Make the hop between two stores, of the tables ``source`` and ``target``."""
        return Hop(
            source_replica=self.source_replica,
            target_replica=self.target_replica,
            source=source,
            target=target,
            uses_tombstones=self.source.tombstones is not None,
            replicates_expiry=self.replicates_expiry,
        )

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Read the configuration from environment variables.

        Raises:
            HopConfigError: names every variable that is missing or invalid.
        """
        reader = _EnvironmentReader(environment)
        source, target = reader.replica("SOURCE"), reader.replica("TARGET")
        config = cls(
            source_replica=source,
            target_replica=target,
            source=reader.tables("SOURCE", source.table),
            target=reader.tables("TARGET", target.table),
            replicates_expiry=reader.choice("EXPIRY", ("own", "delete")) == "delete",
            quarantine=reader.text("QUARANTINE"),
            quarantine_owner=environment.get("RING_QUARANTINE_OWNER") or None,
            target_access=environment.get("RING_TARGET_ROLE")
            or environment.get("RING_TARGET_SECRET")
            or None,
            heartbeat=reader.key("HEARTBEAT"),
            batches=reader.choice("WRITES", ("batched", "single"), default="single") == "batched",
            logs_items=environment.get("RING_LOG_ITEMS") == "yes",
            # A function that was deployed before this was a setting does not have it.
            http="boto3" if reader.choice("HTTP", ("own", "boto3"), "own") == "boto3" else "own",
        )
        if reader.problems:
            raise HopConfigError(
                "Invalid environment variables of the function: "
                + "; ".join(dict.fromkeys(reader.problems))
                + ". The stack sets them (ring/resources/function_environment.py): deploy it again."
            )
        return config


class _EnvironmentReader:
    """Reader of variables that collects all problems, so that one error reports them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._keeps_tombstones = any(
            f"RING_{member}_TOMBSTONES" in environment for member in ("SOURCE", "TARGET")
        )
        self.problems: list[str] = []

    def text(self, name: str) -> str:
        value = self._environment.get(f"RING_{name}", "")
        if not value:
            self.problems.append(f"RING_{name} is missing")
        return value

    def number(self, name: str) -> int:
        value = self.text(name)
        if value and not value.isdecimal():
            self.problems.append(f"RING_{name} is {value!r}, not a whole number")
        return int(value) if value.isdecimal() else 0

    def choice(self, name: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """Return one of the allowed values. The variable may be missing if there is a default."""
        if default is not None and f"RING_{name}" not in self._environment:
            return default
        value = self.text(name)
        if value and value not in allowed:
            self.problems.append(f"RING_{name} is {value!r}, not one of {', '.join(allowed)}")
        return value

    def key(self, name: str) -> Key | None:
        """Return an item's key, in a stream record's JSON; None: the variable is not set."""
        text = self._environment.get(f"RING_{name}")
        if not text:
            return None
        try:
            return read_item(json.loads(text))
        except (ValueError, TypeError, AttributeError) as error:
            self.problems.append(f"RING_{name} is {text!r}, not the key of an item: {error}")
            return None

    def replica(self, member: str) -> ReplicaId:
        replica_id = self.text(f"{member}_ID")
        if replica_id and not re.fullmatch("[0-9a-f]{8}", replica_id):
            self.problems.append(f"RING_{member}_ID is {replica_id!r}, not 8 hex digits")
        return ReplicaId(replica_id, self.text(f"{member}_REGION"), self.text(f"{member}_TABLE"))

    def tables(self, member: str, table: str) -> MemberTables:
        if not self._keeps_tombstones:
            return MemberTables(table, None, 0)
        tombstones = self.text(f"{member}_TOMBSTONES")
        return MemberTables(table, tombstones, _DAY * self.number("RETENTION_DAYS"))
