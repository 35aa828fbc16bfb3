"""Each expectation of a trial fails when the ring does not do what it expects.

One ring on the engine, whose hops are broken in another manner in each test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from operate.conflicts.ring_conflicts import resolve_conflict
from operate.deployment.stack import RingStack
from operate.trial.context import Trial
from operate.trial.journal import TrialJournal
from operate.trial.run import TrialCallbacks
from operate.trial.steps import ends, figures, keys, load, trouble
from operate.trial.verdicts import StepResult, Verdict
from tests.engine.broken_hops import (
    BrokenHops,
    Fault,
    changing,
    everything,
    group_of,
    name_of,
    of_event,
    swapping,
    without,
)
from tests.engine.stacks import Engine
from tests.engine.trials import QUICK, SettledTrial, TrialCloud, begin, trial_cloud

pytestmark = pytest.mark.long

_PATIENCE = replace(QUICK, quiet=0.0)
"""The trials know when all has settled."""


@dataclass
class Bench:
    """A deployed trial, whose steps are run one by one."""

    journal: TrialJournal
    cloud: TrialCloud
    hops: BrokenHops

    def trial(self, deploy: Callable[[RingStack], Any] | None = None) -> Trial:
        """Return the context of a step, with keys of its own."""
        callbacks = self.cloud.callbacks() if deploy is None else TrialCallbacks(deploy)
        return SettledTrial(
            self.journal,
            self.journal.plan(),
            self.journal.ring(),
            callbacks.deploy,
            _PATIENCE,
            attempt=self.journal.begin("broken"),
            cloud=self.cloud,
        )


@pytest.fixture(scope="module")
def patches() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patches:
        yield patches


@pytest.fixture(scope="module")
def bench(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory, patches: pytest.MonkeyPatch
) -> Iterator[Bench]:
    for name, value in engine.users_environment.items():
        patches.setenv(name, value)
    hops = BrokenHops(patches)
    journal = begin(tmp_path_factory.mktemp("trial"))
    with trial_cloud(engine) as cloud:
        cloud.up(journal.ring())
        yield Bench(journal, cloud, hops)


def failed(result: StepResult) -> set[str]:
    return {one.name for one in result.expectations if one.verdict is Verdict.FAILED}


def of_types(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Fault:
    """Change items that have every type of attribute."""
    return changing(lambda image: change(image) if "numbers" in image else image)


def is_large(record: dict[str, Any]) -> bool:
    return "large" in record["dynamodb"].get("NewImage", {}) and name_of(record).endswith("390")


LOAD: dict[str, Fault] = {
    "load.inserts": without(lambda one: name_of(one).endswith("7")),
    "load.updates": without(of_event("MODIFY")),
    "load.deletes": without(of_event("REMOVE")),
    "load.tombstones": without(of_event("REMOVE")),
    "load.sizes": without(is_large),
}


@pytest.mark.parametrize("name", LOAD)
def test_a_hop_that_loses_records_of_the_load(bench: Bench, name: str) -> None:
    with bench.hops.broken(LOAD[name]):
        assert name in failed(load.load(bench.trial()))


@pytest.mark.parametrize(
    "change",
    [
        lambda image: {**image, "numbers": {"SS": ["3", "-1.5"]}},
        lambda image: {**image, "null": {"BOOL": True}},
        lambda image: {**image, "digits": {"N": "1234567890.123456789012345678901234567"}},
        lambda image: {name: value for name, value in image.items() if name != "empty text"},
    ],
    ids=["a set's type", "null", "the last digit", "an empty text"],
)
def test_a_hop_that_changes_one_type_of_attribute_alone(
    bench: Bench, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    with bench.hops.broken(of_types(change)):
        assert failed(load.load(bench.trial())) == {"load.types"}


def test_a_hop_that_takes_writes_in_the_wrong_order(bench: Bench) -> None:
    with bench.hops.broken(swapping()):
        assert failed(load.order(bench.trial())) == {"order.updates", "order.deletes"}


def test_a_hop_that_loses_what_others_have_written_too(bench: Bench) -> None:
    # Keys, not events: a delete that is lost shows only where no put has come after it, and the
    # order of writes at the same time is not the test's.
    with bench.hops.broken(without(lambda one: name_of(one) < "003")):
        assert "concurrent.agree" in failed(keys.concurrent(bench.trial()))


def test_a_hop_that_mixes_items(bench: Bench) -> None:
    def mix(image: dict[str, Any]) -> dict[str, Any]:
        # The same each time: a ring that goes on to change its own copies never rests.
        return {**image, "flag": {"S": "another's"}} if "flag" in image else image

    with bench.hops.broken(changing(mix)):
        assert "concurrent.whole" in failed(keys.concurrent(bench.trial()))


def test_hops_that_log_no_conflict(bench: Bench) -> None:
    with bench.hops.silent():
        assert failed(keys.concurrent(bench.trial())) == {"concurrent.logged"}
        assert failed(trouble.conflict(bench.trial())) == {"conflict.listed", "conflict.resolved"}


def test_a_resolution_that_does_not_get_everywhere(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = resolve_conflict

    def resolve_and_break(*arguments: Any) -> Any:
        bench.hops.break_now(without(everything))
        return resolve(*arguments)

    monkeypatch.setattr(trouble, "resolve_conflict", resolve_and_break)
    with bench.hops.broken(lambda records: records):
        assert failed(trouble.conflict(bench.trial())) == {"conflict.resolved"}


@pytest.mark.parametrize(("name", "number"), [("again.at-once", 2), ("again.elsewhere", 3)])
def test_a_hop_that_takes_a_new_insert_for_the_old_item(
    bench: Bench, name: str, number: int
) -> None:
    new = {"number": {"N": str(number)}}.items()
    lost = without(lambda one: new <= one["dynamodb"].get("NewImage", {}).items())
    with bench.hops.broken(lost):
        assert name in failed(keys.again(bench.trial()))


def test_a_hop_that_leaves_the_expiry_out(bench: Bench) -> None:
    def strip(image: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in image.items() if name != "expires"}

    with bench.hops.broken(changing(strip)):
        assert failed(keys.expiry(bench.trial())) == {"expiry.kept"}


def test_a_member_whose_ttl_is_off(bench: Bench) -> None:
    trial = bench.trial()
    client, table = trial.client(trial.members[1]), trial.members[1].table

    def switch(*, on: bool) -> None:
        setting: Any = {"Enabled": on, "AttributeName": "expires"}
        client.update_time_to_live(TableName=table, TimeToLiveSpecification=setting)

    switch(on=False)
    try:
        assert failed(keys.expiry(trial)) == {"expiry.enabled"}
    finally:
        switch(on=True)


def test_a_pause_that_does_not_pause(bench: Bench) -> None:
    assert failed(trouble.pausing(bench.trial(RingStack.up))) == {"pause.holds"}


def test_hops_that_stop_with_the_paused_one(bench: Bench) -> None:
    lost = without(lambda one: name_of(one).startswith("free"))
    with bench.hops.broken(lost):
        assert failed(trouble.pausing(bench.trial())) == {"pause.others", "pause.resumed"}


def test_a_hop_that_is_not_resumed(bench: Bench) -> None:
    def up(ring: RingStack) -> Any:
        paused = ring.settings().members[0].paused
        return bench.cloud.up(ring) if paused else ring.up()

    assert failed(trouble.pausing(bench.trial(up))) == {"pause.resumed"}
    bench.cloud.run(bench.journal.ring())


def test_a_record_that_nobody_refuses(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trouble, "prepare", lambda _: None)
    monkeypatch.setattr(trouble, "_index_state", lambda _: "ACTIVE")
    monkeypatch.setattr(trouble, "_remove_index", lambda _: None)
    names = {"poison.quarantined", "poison.alarm", "poison.redriven"}
    assert failed(trouble.poison(bench.trial())) == names


def test_a_poison_record_that_stops_those_behind_it(bench: Bench) -> None:
    lost = without(lambda one: name_of(one).startswith("good"))
    with bench.hops.broken(lost):
        assert "poison.others" in failed(trouble.poison(bench.trial()))


def test_a_quarantined_record_that_cannot_be_redriven_yet(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as kept:
        kept.setattr(trouble, "_remove_index", lambda _: None)
        assert failed(trouble.poison(bench.trial())) == {"poison.redriven"}
    trouble._remove_index(bench.trial())


def test_members_that_are_not_in_sync(bench: Bench) -> None:
    trial = bench.trial()
    with bench.hops.broken(without(lambda one: group_of(one) == "behind")):
        item: Any = {"group": {"S": "behind"}, "id": {"S": "the ring's back"}}
        trial.client(trial.members[0]).put_item(TableName=trial.members[0].table, Item=item)
        assert failed(figures.compare_all(trial)) == {"check.in-sync"}


def test_a_ring_that_does_not_replicate_or_is_in_trouble(bench: Bench) -> None:
    trial = bench.trial()
    hop = trial.deployed.hops[0]
    functions = trial.client(trial.members[0], "lambda")
    functions.update_event_source_mapping(UUID=hop.mapping, Enabled=False)
    try:
        with bench.hops.broken(without(everything)):
            trial = bench.trial(RingStack.up)
            assert failed(ends.deploy(trial)) == {"deploy.status", "deploy.replicates"}
    finally:
        functions.update_event_source_mapping(UUID=hop.mapping, Enabled=True)
