"""Pack a function's code, declared as a Pulumi archive, into the zip file that Lambda takes."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pulumi

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest timestamp of the zip format


class ArchiveError(Exception):
    """A function's code is declared by an asset type that is not supported."""


def zip_archive(archive: Any) -> bytes:
    """Pack an `AssetArchive` of files and texts; equal contents give equal bytes.

    Raises `ArchiveError` for other assets and for missing files.
    """
    if not isinstance(archive, pulumi.AssetArchive):
        raise ArchiveError(f"code is a {type(archive).__name__}: use an AssetArchive.")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, asset in sorted(archive.assets.items()):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = 0o644 << 16
            file.writestr(entry, _content(name, asset))
    return packed.getvalue()


def _content(name: str, asset: Any) -> bytes:
    match asset:
        case pulumi.StringAsset():
            return asset.text.encode()
        case pulumi.FileAsset():
            try:
                return Path(asset.path).read_bytes()
            except OSError as error:
                raise ArchiveError(f"{name} cannot be read: {error}") from error
    raise ArchiveError(f"{name} is a {type(asset).__name__}: use a FileAsset or StringAsset.")
