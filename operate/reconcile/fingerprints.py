"""Fingerprints of items: what a check compares instead of the items.

A fingerprint depends only on its item, so that every segment of a parallel scan can be read
anywhere: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Scan.html#Scan.ParallelScan
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
"""A key and the fingerprint of its item, both as texts."""

_DIGEST_LENGTH = 16
_STUB = "/stub"


def fingerprints(items: Sequence[Item], keys: Sequence[str], expires: str | None) -> Iterator[Row]:
    """Yield the rows of items, without expired ones: DynamoDB deletes those any moment."""
    now = time.time()
    for item in items:
        if not will_be_deleted(item, expires, now):
            yield key_text(item, keys), fingerprint(item)


def fingerprint(item: Item) -> str:
    """Return an item's fingerprint: its version as text if it is clean, else its digest.

    A version contains the digest. A stub, even if an application changed it, has a suffix.
    """
    image = Image(item)
    mark = str(image.version) if image.is_clean else digest(item)
    return mark + _STUB if DELETED in item else mark


def fingerprint_version(mark: str) -> Version | None:
    """Return the version in a fingerprint; None: the item has none, or is dirty."""
    return Version.from_text(mark.removesuffix(_STUB))


def fingerprint_digest(mark: str) -> str:
    """Return the digest of the item's content, which every fingerprint contains."""
    return mark.removesuffix(_STUB)[-_DIGEST_LENGTH:]


def is_stub_fingerprint(mark: str) -> bool:
    """Return whether it is the fingerprint of a stub."""
    return mark.endswith(_STUB)


def key_text(item: Item, keys: Sequence[str]) -> str:
    """Return an item's key as a text. Equal keys give equal texts: DynamoDB normalizes numbers."""
    return json.dumps([item[name] for name in keys], default=encode_binary, separators=(",", ":"))


def key_of(text: str, keys: Sequence[str]) -> Key:
    """Return the key of a text from `key_text`."""
    return dict(zip(keys, map(from_json, json.loads(text)), strict=True))
