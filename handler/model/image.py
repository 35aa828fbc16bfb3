"""An item as it stands in a table: its version, and whether a hop or an application wrote it.

Items stay in the form in which DynamoDB's API has them, ``{"price": {"N": "9.50"}}``: nothing is
converted on the way through, so no digit of a number and no byte can change.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from handler.model.attribute_values import canonical_text
from handler.model.version import Version

Item = Mapping[str, Any]
Key = Mapping[str, Any]

RESERVED = "_repl_"
SOURCE_REGION = "_repl_source_region"
SOURCE_TABLE = "_repl_source_table"
VERSION = "_repl_version"
DELETED = "_repl_deleted"
PRESENT_AT = "_repl_known"


@dataclass(frozen=True)
class Image:
    """One item, with what the ring's attributes on it say."""

    item: Item

    @cached_property
    def version(self) -> Version | None:
        """The version that the item carries; a text that is no version counts as none."""
        carried = self.item.get(VERSION)
        return Version.parse(carried.get("S")) if carried else None

    @cached_property
    def is_clean(self) -> bool:
        """Whether the item is exactly what a hop wrote.

        A dirty item was written by an application here, even where the ring's attributes
        still stand on it: UpdateItem leaves them alone, and an item that was read may be put
        back with them.
        """
        return self.version is not None and self.version.digest == digest(self.item)

    @cached_property
    def is_stub(self) -> bool:
        """Whether the item stands for a delete on its way through the ring."""
        return self.is_clean and self.item.get(DELETED) == {"BOOL": True}


@dataclass(frozen=True)
class Write:
    """A write as hops carry it: the item with its version, or the stub of a delete."""

    version: Version
    item: Item
    is_delete: bool

    def is_present_at(self, replica: str) -> bool:
        """Whether a backfill saw that a member had this already."""
        return replica in self.item.get(PRESENT_AT, {}).get("SS", ())


def replicated_write(image: Image) -> Write | None:
    """The write that an item is a copy of, if a hop wrote it."""
    if image.version is None or not image.is_clean:
        return None
    return Write(image.version, image.item, image.is_stub)


def application_attributes(item: Item) -> dict[str, Any]:
    """The item without the ring's attributes."""
    return {name: value for name, value in item.items() if not name.startswith(RESERVED)}


def digest(item: Item) -> str:
    """16 hex digits over the item's own attributes, the same however maps and sets are ordered."""
    text = canonical_text(application_attributes(item))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
