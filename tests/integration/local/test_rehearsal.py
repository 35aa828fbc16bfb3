"""What the rehearsal counts as a lost write."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.demo.applications import VALUE, Application, Applications, key_of, values_at
from local.ring import LocalRing
from local.stack_config import StackConfig
from ring.project import PROJECT_ROOT
from tests.support.local_rings import PATIENCE


@pytest.fixture(scope="module")
def ring() -> Iterator[LocalRing]:
    with LocalRing(StackConfig.read(PROJECT_ROOT, "dev"), idle=0.02) as dev:
        yield dev


def items(ring: LocalRing) -> dict[str, dict[str, int]]:
    ring.wait_until_quiet(PATIENCE)
    return {member.name: values_at(member) for member in ring.members.values()}


def test_writes_that_are_everywhere_are_not_lost(ring: LocalRing) -> None:
    applications = Applications(ring.members)
    for application in applications.by_member.values():
        for number in range(45):  # so that some keys are written twice
            application.write(number)
    assert applications.acknowledged == 3 * 45
    assert applications.lost_writes(items(ring)) == []


def test_a_write_that_one_member_lacks_and_an_older_value_are_lost_writes(ring: LocalRing) -> None:
    late = Application(next(iter(ring.members.values())), "late")
    applications = Applications({}, late)
    for number in (1, 2):
        late.write(number)
    found = items(ring)
    del found["eu-west-1"]["late-1"]
    found["us-east-1"]["late-2"] = 1
    assert sorted(applications.lost_writes(found)) == [
        "eu-west-1 has nothing under late-1, and 1 was acknowledged",
        "us-east-1 has 1 under late-2, and 2 was acknowledged",
    ]


def test_a_write_without_an_answer_may_be_there_or_not(ring: LocalRing) -> None:
    member = next(iter(ring.members.values()))
    application = Application(member, "unsure")
    application.write(1)
    application.written["unsure-1"].maybe.add(41)
    applications = Applications({}, application)
    assert applications.lost_writes(items(ring)) == []
    newer = {**key_of("unsure-1"), VALUE: {"N": "41"}}
    member.client.put_item(TableName=member.table, Item=newer)
    assert applications.lost_writes(items(ring)) == []
