"""Item of a table with its version, and whether a hop or an application wrote it.

Items keep the form of DynamoDB's API, ``{"price": {"N": "9.50"}}``. Nothing is converted between
stream and table, so no digit of a number and no byte can change.
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
KNOWN_AT = "_repl_known"


@dataclass(frozen=True)
class Image:
    """An item, with the meaning of the ring's attributes on it."""

    item: Item

    @cached_property
    def version(self) -> Version | None:
        """Version of the item. None: it has none, or a value that is no version."""
        attribute = self.item.get(VERSION)
        return Version.parse(attribute.get("B")) if attribute else None

    @cached_property
    def is_clean(self) -> bool:
        """Whether the item is exactly what a hop wrote.

        Otherwise it is dirty: an application wrote it at this member, even if it has the ring's
        attributes. UpdateItem leaves them in place, and an item that was read may be put back with
        them.
        """
        return self.version is not None and self.version.digest == digest(self.item)

    @cached_property
    def is_stub(self) -> bool:
        """Whether the item is the stub of a delete that is being replicated."""
        return self.is_clean and self.item.get(DELETED) == {"BOOL": True}


@dataclass(frozen=True)
class Write:
    """A write as hops replicate it: an item with its version, or the stub of a delete."""

    version: Version
    item: Item
    is_delete: bool

    def is_known_at(self, replica: str) -> bool:
        """Return whether a backfill found that a member had this item already."""
        return replica in self.item.get(KNOWN_AT, {}).get("SS", ())


def replicated_write(image: Image) -> Write | None:
    """Return the write that an item is a copy of; None: a hop did not write it."""
    if image.version is None or not image.is_clean:
        return None
    return Write(image.version, image.item, image.is_stub)


def application_attributes(item: Item) -> dict[str, Any]:
    """Return an item's attributes without those of the ring."""
    return {name: value for name, value in item.items() if not name.startswith(RESERVED)}


def digest(item: Item) -> str:
    """Return 16 hex digits over an item's own attributes, whatever the order in maps and sets."""
    text = canonical_text(application_attributes(item))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
