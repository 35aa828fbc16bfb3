"""Replace a text file at once: a reader, or a full disk, finds the old text or the new one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import NamedTemporaryFile


def replace_text(path: Path, text: str) -> None:
    """Replace a file's text, or make the file.

    A link stays a link, and a file keeps its mode; a new one is for its user alone. Raises OSError;
    the file is then as it was, and no other is left beside it.
    """
    target = path.resolve()
    with NamedTemporaryFile(
        "w", dir=target.parent, delete=False, newline="", encoding="utf-8"
    ) as file:
        try:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            if target.exists():
                shutil.copymode(target, file.name)
            Path(file.name).replace(target)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
