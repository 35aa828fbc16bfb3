"""Both sides of a function's environment: what the stack sets is what the handler reads."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from handler.config import HopConfig
from handler.heartbeat import HEARTBEAT_ATTRIBUTE, heartbeat_time
from handler.model.records import read_change
from ring import topology
from ring.resources.function_environment import environment
from ring.resources.heartbeat import heartbeat_key
from ring.settings import types
from ring.settings.members import Member
from ring.settings.sections import TableSettings
from ring.settings.settings import Settings as StackSettings
from tests.support.stream_records import record

ROLE = "arn:aws:iam::210987654321:role/writer"


class Watched(Mapping[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._variables[name]

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("the handler looks for names, it does not try what there is")

    def __len__(self) -> int:
        return len(self._variables)


def variables_of(
    *,
    role: str | None = None,
    tombstones: bool = True,
    expiry: str | None = None,
    log_items: bool = False,
    http: str = "own",
    heartbeat: bool = False,
) -> Any:
    """The variables that the stack sets for the first hop of a ring with these settings."""
    table: dict[str, object] = {"name": "orders", "partition_key": {"name": "id", "type": "S"}}
    if expiry is not None:
        table["ttl"] = {"attribute": "expires", "expiry": expiry}
    members = [{"region": "us-east-1"}, {"region": "eu-west-1", "table": "orders-eu"}]
    settings = StackSettings.parse(
        {
            "table": table,
            "members": members,
            "tombstones": {"enabled": tombstones},
            "function": {"log_items": log_items, "http": http},
            "heartbeat": {"enabled": heartbeat},
        }
    )
    hop = topology.deployed_hops(settings)[0]
    return environment(hop.source, hop.target, settings, quarantine=("lost", "1"), target_role=role)


def test_the_handler_reads_all_that_the_stack_sets_and_nothing_else() -> None:
    variables = variables_of(role=ROLE, log_items=True, http="boto3", heartbeat=True)
    watched = Watched(variables)
    HopConfig.read(watched)
    assert watched.asked == set(variables)


def test_the_settings_reserve_the_attribute_that_the_handler_writes_in_a_heartbeat() -> None:
    assert types.HEARTBEAT_ATTRIBUTE == HEARTBEAT_ATTRIBUTE


@pytest.mark.parametrize("kinds", ["S", "N", "B", "SN", "NB", "BS"])
def test_the_handler_recognizes_a_heartbeat_by_the_key_that_the_stack_gives_it(kinds: str) -> None:
    names = ("partition_key", "sort_key")
    keys = {name: {"name": name, "type": kind} for name, kind in zip(names, kinds, strict=False)}
    table = TableSettings.model_validate({"name": "orders", **keys})
    for member in (Member("a", "us-east-1", "orders"), Member("b", "eu-west-1", "orders-eu")):
        key = heartbeat_key(table, member)
        written = record(1, Keys=key, NewImage={**key, HEARTBEAT_ATTRIBUTE: {"N": "5"}})
        assert heartbeat_time(read_change(written)) == 5.0


@pytest.mark.parametrize("log_items", [True, False])
@pytest.mark.parametrize("role", [None, ROLE])
@pytest.mark.parametrize("tombstones", [True, False])
@pytest.mark.parametrize("expiry", [None, "own", "delete"])
def test_the_handler_understands_whatever_the_stack_sets(
    role: str | None, tombstones: bool, expiry: str | None, log_items: bool
) -> None:
    variables = variables_of(role=role, tombstones=tombstones, expiry=expiry, log_items=log_items)
    settings = HopConfig.read(variables)
    assert settings.logs_items == log_items
    assert (settings.source_replica.table, settings.target_replica.table) == ("orders", "orders-eu")
    assert settings.target_access == role
    assert (settings.source.tombstones is not None) == tombstones
    assert settings.replicates_expiry == (expiry == "delete")
