"""The code of a function, as the stack packs it."""

from __future__ import annotations

from pathlib import Path

import pulumi

_PROJECT = Path(__file__).parent.parent


def code_of(*rooms: str) -> pulumi.AssetArchive:
    """The source of these rooms alone: what Python caches there would change its hash."""
    files = sorted(file for room in rooms for file in (_PROJECT / room).glob("*.py"))
    return pulumi.AssetArchive(
        {str(file.relative_to(_PROJECT)): pulumi.FileAsset(file) for file in files}
    )
