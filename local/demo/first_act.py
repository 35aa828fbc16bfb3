"""Demo of a ring in nine steps: ``make demo``. Exits with 1 if a step does not end as expected."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from rich.console import Console

from local.demo import second_act
from local.demo.story import Expected, Story
from local.ring import LocalRing
from local.stack_config import StackConfig
from ring.project import PROJECT_ROOT

ADA = {"customer": {"S": "ada"}, "order": {"S": "1"}}
BOB = {"customer": {"S": "bob"}, "order": {"S": "1"}}
CAT = {"customer": {"S": "cat"}, "order": {"S": "1"}}
DAN = {"customer": {"S": "dan"}, "order": {"S": "1"}}


def an_item_travels(story: Story) -> Expected:
    """An item is written in one region and replicated to all others."""
    story.put(0, {**ADA, "total": {"N": "10"}})
    return Expected(
        ADA,
        {"total": {"N": "10"}},
        writes=len(story.members) - 1,
        because="one write at each other member; the ring's last hop recognizes its origin and "
        "stops",
    )


def a_replica_is_edited(story: Story) -> Expected:
    """The copy is updated in another region."""
    story.update(1, ADA, "total", {"N": "12"})
    return Expected(
        ADA,
        {"total": {"N": "12"}},
        writes=len(story.members) - 1,
        because="UpdateItem keeps the copy's origin attributes, so they alone do not show an "
        "update; the item no longer matches the digest in its version, which does",
    )


def two_regions_write_at_once(story: Story) -> Expected:
    """Two regions write the same key at the same time."""
    with story.at_once():
        story.put(0, {**BOB, "total": {"N": "1"}})
        story.put(1, {**BOB, "total": {"N": "2"}})
    return Expected(
        BOB,
        because="the same write wins at all members, and the handler logs the conflict",
        conflicts=True,
    )


def delete_and_insert_again(story: Story) -> Expected:
    """An item is deleted and immediately inserted again."""
    story.delete(0, ADA)
    story.put(0, {**ADA, "total": {"N": "99"}})
    return Expected(
        ADA,
        {"total": {"N": "99"}},
        because="the delete leaves a tombstone with its version, and the insert has a newer one "
        "(7 writes for the delete: tombstones, stubs and their removal; 2 for the insert)",
        writes=9,
    )


def every_type_arrives(story: Story) -> Expected:
    """Binary values, sets and nested maps are replicated unchanged."""
    content = {
        "photo": {"B": bytes(range(8))},
        "tags": {"SS": ["new", "urgent"]},
        "exact": {"N": "0.12345678901234567890123456789012345678"},
        "lines": {"L": [{"M": {"sku": {"S": "a-1"}, "raw": {"B": b"\x00\xff"}}}, {"NULL": True}]},
    }
    story.put(2, {**CAT, **content})
    return Expected(
        CAT,
        content,
        writes=len(story.members) - 1,
        because="a Lambda event has binary values as base64 text, which the handler decodes",
    )


def a_delete_races_an_update(story: Story) -> Expected:
    """One region deletes an item while another updates it."""
    story.put(0, {**DAN, "total": {"N": "1"}})
    story.settle()
    with story.at_once():
        story.delete(0, DAN)
        story.update(1, DAN, "total", {"N": "2"})
    return Expected(
        DAN,
        because="the later version wins, which may be either, but the same one at all members",
        conflicts=True,
    )


STEPS: tuple[Callable[[Story], Expected], ...] = (
    an_item_travels,
    a_replica_is_edited,
    two_regions_write_at_once,
    delete_and_insert_again,
    every_type_arrives,
    a_delete_races_an_update,
)


def main() -> int:
    """Run the demo; return 1 if a step did not end as expected."""
    console = Console(highlight=False, soft_wrap=True)
    with LocalRing(StackConfig.read(PROJECT_ROOT, "dev")) as ring:
        story = Story(ring, console)
        story.introduce()
        story.begin("Replication and conflicts")
        problems = _act(story, STEPS, 1)
        story.begin("Failures and repair")
        problems += _act(story, second_act.STEPS, len(STEPS) + 1)
        problems += story.compare_all()
        story.conclude(problems)
    return 1 if problems else 0


def _act(story: Story, steps: Sequence[Callable[[Story], Expected]], first: int) -> list[str]:
    """Run steps, numbered from `first`; return what did not end as expected."""
    return [
        problem
        for number, step in enumerate(steps, first)
        for problem in story.run_step(f"{number}. {step.__doc__}", step)
    ]


if __name__ == "__main__":
    sys.exit(main())
