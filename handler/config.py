"""Configuration of a function, read from its environment variables.

``ring/resources/function_environment.py`` declares them.

A deployment changes a function's environment first and its code after, so for a while code of one
version runs with the environment of the next; where the second step fails, it stays so. Therefore:

- a variable that is added has a default, which does what was done before there was the variable;
- a variable that is not known is ignored;
- what a variable says is never given another meaning, nor left out while older code asks for it.
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
    """The function's environment lacks something, or holds what cannot be."""


@dataclass(frozen=True)
class HopConfig:
    """The hop that a function is."""

    source_replica: ReplicaId
    target_replica: ReplicaId
    source: MemberTables
    target: MemberTables
    replicates_expiry: bool
    quarantine: str
    target_access: str | None
    """What calls to the target's tables are made with: the ARN of a role to assume or, in another
    partition, of the secret with a user's keys; None: the function's own role."""
    heartbeat: Key | None
    """The key of the item that this member's beats are written to; None: the heart is off."""
    batches: bool
    """Whether to write and read for many keys in one request, where that can be said so."""
    logs_items: bool
    """Whether the line of a conflict tells what is in its items."""
    http: Http
    """Whose HTTP client calls DynamoDB."""

    @property
    def name(self) -> str:
        """The hop, as its log lines and metrics call it."""
        ends = (self.source_replica, self.target_replica)
        return " -> ".join(f"{end.region}/{end.table}" for end in ends)

    def hop(self, source: Store, target: Store) -> Hop:
        """The hop, between two stores that are what ``source`` and ``target`` say."""
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
        """Read them from environment variables.

        Raises:
            SettingsError: names every variable that is missing or wrong.
        """
        reader = _EnvironmentReader(environment)
        here, there = reader.replica("SOURCE"), reader.replica("TARGET")
        settings = cls(
            source_replica=here,
            target_replica=there,
            source=reader.tables("SOURCE", here.table),
            target=reader.tables("TARGET", there.table),
            replicates_expiry=reader.one_of("EXPIRY", ("own", "delete")) == "delete",
            quarantine=reader.text("QUARANTINE"),
            target_access=environment.get("RING_TARGET_ROLE")
            or environment.get("RING_TARGET_SECRET")
            or None,
            heartbeat=reader.key("HEARTBEAT"),
            batches=reader.one_of("WRITES", ("batched", "single"), default="single") == "batched",
            logs_items=environment.get("RING_LOG_ITEMS") == "yes",
            # Not there in the environment of a function that was deployed before it was a setting.
            http="boto3" if reader.one_of("HTTP", ("own", "boto3"), "own") == "boto3" else "own",
        )
        if reader.mistakes:
            raise HopConfigError(
                "the function's environment is not that of a hop: "
                + "; ".join(dict.fromkeys(reader.mistakes))
                + ". The stack sets these (ring/hop.py): deploy it again."
            )
        return settings


class _EnvironmentReader:
    """Reads variables and gathers what is wrong with them, so that all of it is told at once."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._keeps_tombstones = any(
            f"RING_{end}_TOMBSTONES" in environment for end in ("SOURCE", "TARGET")
        )
        self.mistakes: list[str] = []

    def text(self, name: str) -> str:
        value = self._environment.get(f"RING_{name}", "")
        if not value:
            self.mistakes.append(f"RING_{name} is missing")
        return value

    def number(self, name: str) -> int:
        value = self.text(name)
        if value and not value.isdecimal():
            self.mistakes.append(f"RING_{name} is {value!r}, not a whole number")
        return int(value) if value.isdecimal() else 0

    def one_of(self, name: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """A choice; where there is a default, the variable may be missing."""
        if default is not None and f"RING_{name}" not in self._environment:
            return default
        value = self.text(name)
        if value and value not in allowed:
            self.mistakes.append(f"RING_{name} is {value!r}, not one of {', '.join(allowed)}")
        return value

    def key(self, name: str) -> Key | None:
        """A key, as a stream's record has it."""
        text = self._environment.get(f"RING_{name}")
        if not text:
            return None
        try:
            return read_item(json.loads(text))
        except (ValueError, TypeError, AttributeError) as error:
            self.mistakes.append(f"RING_{name} is {text!r}, no item's key: {error}")
            return None

    def replica(self, end: str) -> ReplicaId:
        replica_id = self.text(f"{end}_ID")
        if replica_id and not re.fullmatch("[0-9a-f]{8}", replica_id):
            self.mistakes.append(f"RING_{end}_ID is {replica_id!r}, not 8 hex digits")
        return ReplicaId(replica_id, self.text(f"{end}_REGION"), self.text(f"{end}_TABLE"))

    def tables(self, end: str, table: str) -> MemberTables:
        if not self._keeps_tombstones:
            return MemberTables(table, None, 0)
        tombstones = self.text(f"{end}_TOMBSTONES")
        return MemberTables(table, tombstones, _DAY * self.number("RETENTION_DAYS"))
