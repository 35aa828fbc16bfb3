"""Judge whether what won a conflict still stands at a member, and what lost. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from handler.model.image import Image, Item, Write, digest
from operate.conflicts.entries import ConflictEntry
from operate.errors import InvalidRequestError


@dataclass(frozen=True)
class Standing:
    """What a member has of a key: its item and its tombstone, consistently read."""

    item: Item | None
    tombstone: Write | None

    def is_winner(self, entry: ConflictEntry) -> bool:
        """Return whether it is what won a conflict.

        A hop's copy has the winner's version. Where an application wrote it, it has none, or that
        of the item before; there its content decides.
        """
        won = entry.won.version
        if entry.won.is_delete:
            deleted = self.tombstone
            is_later = (
                deleted is not None
                and deleted.version > won
                and not deleted.version.is_same_write(won)
            )
            return self.item is None and not is_later
        if self.item is None:
            return False
        image = Image(self.item)
        if image.is_clean and image.version is not None:
            return not image.is_stub and image.version.is_same_write(won)
        return digest(self.item) == won.digest


def loser_of(entry: ConflictEntry) -> Item | None:
    """Return what the write that lost has left; None: it was a delete.

    Raises `InvalidRequestError` if the log does not have all of it.
    """
    lost = entry.lost
    if lost.is_delete:
        return None
    if lost.item is None:
        raise InvalidRequestError(
            f"{entry.id}: the log does not have the item that lost, as `function.log_items` was "
            "off. Write what should stand with --item FILE. While its record is less than 24 hours "
            "old, the stream of its member has the item; later, only a backup of the table."
        )
    if lost.cut is not None:
        raise InvalidRequestError(
            f"{entry.id}: the item that lost has {lost.cut.size:,} bytes, too many for a log line, "
            f"which lacks {len(lost.cut.left_out) + lost.cut.more} of its attributes. Write what "
            "should stand with --item FILE."
        )
    return lost.item
