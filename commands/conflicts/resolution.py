"""Print what resolving a conflict does, or would do."""

from __future__ import annotations

from commands.conflicts.entries import item_rows
from commands.conflicts.side_by_side import side_by_side
from commands.output.screen import Screen
from handler.model.image import Item, application_attributes
from operate.conflicts.resolving import Resolution, ResolveOutcome


def print_resolution(screen: Screen, done: Resolution) -> None:
    """Print what became of it, and what stands at the member if that is something else."""
    if done.outcome is ResolveOutcome.PLANNED:
        print_plan(screen, done)
    elif done.outcome is ResolveOutcome.WRITTEN:
        what = "Deleted" if done.item is None else "Written"
        screen.print(f"{what} at {done.member}. The hops replicate it to all members.")
        if done.overwritten:
            screen.print(
                f"In the same moment somebody changed {', '.join(done.overwritten)}, which was "
                "overwritten. This stood there:"
            )
            _print_items(screen, ("before", "now"), done.stands, done.item)
    else:
        screen.print(
            f"What won does not stand at {done.member} any more, or not yet. Nothing was changed."
        )
        if done.stands is None:
            screen.print("There is no item now.")
        else:
            screen.print("This stands there now, beside what was to be written:\n")
            _print_items(screen, ("stands now", "not written"), done.stands, done.item)


def print_plan(screen: Screen, planned: Resolution) -> None:
    """Print what would be written, beside what stands there."""
    what = "Would delete" if planned.item is None else "Would write"
    screen.print(f"{what} at {planned.member}:\n")
    _print_items(screen, ("stands now", "then"), planned.stands, planned.item)


def _print_items(
    screen: Screen, headings: tuple[str, str], left: Item | None, right: Item | None
) -> None:
    before = None if left is None else application_attributes(left)
    for line in side_by_side(headings, item_rows(before, right), screen.console.width):
        screen.print(line)
