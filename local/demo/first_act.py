"""The story of a ring in nine steps: ``make demo``. Exits with 1 if anything is not as told."""

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
    """An item is written in one region, and stops where it began."""
    story.put(0, {**ADA, "total": {"N": "10"}})
    return Expected(
        ADA,
        {"total": {"N": "10"}},
        writes=len(story.members) - 1,
        because="one write at each other member; back at its origin, it stops",
    )


def a_replica_is_edited(story: Story) -> Expected:
    """The copy is edited in another region, by UpdateItem."""
    story.update(1, ADA, "total", {"N": "12"})
    return Expected(
        ADA,
        {"total": {"N": "12"}},
        writes=len(story.members) - 1,
        because="UpdateItem leaves the origin's tag standing, so a replicator that goes by the "
        "tag takes this for an old copy; the digest in the version tells that it was edited",
    )


def two_regions_write_at_once(story: Story) -> Expected:
    """Two regions write one key in the same moment."""
    with story.at_once():
        story.put(0, {**BOB, "total": {"N": "1"}})
        story.put(1, {**BOB, "total": {"N": "2"}})
    return Expected(
        BOB,
        because="one of them wins everywhere, and the handler logs the conflict",
        conflicts=True,
    )


def delete_and_insert_again(story: Story) -> Expected:
    """An item is deleted, and inserted again right behind the delete."""
    story.delete(0, ADA)
    story.put(0, {**ADA, "total": {"N": "99"}})
    return Expected(
        ADA,
        {"total": {"N": "99"}},
        because="the delete leaves a tombstone with its version, and the insert is newer (7 writes "
        "for the delete: tombstones, stubs and their removal; 2 for the insert)",
        writes=9,
    )


def every_type_arrives(story: Story) -> Expected:
    """A binary, a set and a deep map arrive unchanged."""
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
        because="a stream gives binary as base64 text; passed on as it is, it would arrive "
        "encoded twice",
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
        because="whichever has the later version: either is right, if it is the same everywhere",
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
    """Tell the story, and say at the end whether it was true."""
    console = Console(highlight=False, soft_wrap=True)
    with LocalRing(StackConfig.read(PROJECT_ROOT, "dev")) as ring:
        story = Story(ring, console)
        story.introduce()
        wrong = [
            *_act(story, STEPS, 1),
            *_act(story, second_act.STEPS, len(STEPS) + 1, "The second act: what goes wrong"),
        ]
        wrong += story.compare_all()
    return 1 if wrong else 0


def _act(
    story: Story, steps: Sequence[Callable[[Story], Expected]], first: int, title: str = ""
) -> list[str]:
    """Tell some steps, counted from `first`; return what did not end as it was meant to."""
    if title:
        story.begin(title)
    return [
        mistake
        for number, step in enumerate(steps, first)
        for mistake in story.tell(f"{number}. {step.__doc__}", step)
    ]


if __name__ == "__main__":
    sys.exit(main())
