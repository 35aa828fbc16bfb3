"""One segment of a table: where it is in, its items or its rows are out.

Nothing here knows of other segments, of other members or of a ring, so that each can be read
anywhere. Segments are those of DynamoDB's parallel scan:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Scan.html#Scan.ParallelScan
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence

from handler.model.attribute_values import encode_binary, from_json
from handler.model.expiry import will_be_deleted
from handler.model.image import DELETED, Image, Item, Key, digest
from handler.model.version import Version

Row = tuple[str, str]
"""A key and the mark of its item, both as texts."""

_DIGEST = 16
_VERSION = 84
_STUB = "/stub"


def fingerprints(items: Sequence[Item], keys: Sequence[str], expires: str | None) -> Iterator[Row]:
    """The rows of items. Those that DynamoDB will delete have none: they may go any moment."""
    now = time.time()
    for item in items:
        if not will_be_deleted(item, expires, now):
            yield key_text(item, keys), fingerprint(item)


def fingerprint(item: Item) -> str:
    """What tells an item from any other of its key: its version if it is clean, else its digest.

    The version has the digest in it. A stub, or what an application made of one, has it behind.
    """
    image = Image(item)
    mark = str(image.version) if image.is_clean else digest(item)
    return mark + _STUB if DELETED in item else mark


def fingerprint_version(mark: str) -> Version | None:
    """The version in a mark; None: the item has none, or is not what a hop wrote."""
    return Version.parse(mark[:_VERSION])


def fingerprint_digest(mark: str) -> str:
    """The digest of the item's content, which is in every mark."""
    return mark.removesuffix(_STUB)[-_DIGEST:]


def is_stub_fingerprint(mark: str) -> bool:
    """Whether it is the mark of a stub."""
    return mark.endswith(_STUB)


def key_text(item: Item, keys: Sequence[str]) -> str:
    """An item's key as a text. Equal keys are equal texts: DynamoDB writes a number in one way."""
    return json.dumps([item[name] for name in keys], default=encode_binary, separators=(",", ":"))


def key_of(text: str, keys: Sequence[str]) -> Key:
    """The key that a text stands for."""
    return dict(zip(keys, map(from_json, json.loads(text)), strict=True))
