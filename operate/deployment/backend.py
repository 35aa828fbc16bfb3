"""A project's `Pulumi.yaml`, and the backend of Pulumi's state.

In a file:// backend the CLI writes a file of attributes beside each of its files. It is empty for a
moment, in which reading the state fails: "failed to load checkpoint: EOF". Pulumi needs no
attributes. They are not written here, and those that a killed CLI left empty are removed.
https://github.com/google/go-cloud/blob/master/blob/fileblob/fileblob.go (`metadata`)
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from operate.errors import InvalidRequestError
from ring.settings.yaml_text import YamlError, read_yaml

_VARIABLE = "PULUMI_BACKEND_URL"
_FILE = "file://"
_NO_ATTRIBUTES = "metadata=skip"
_ATTRIBUTES = ("*.attrs", "stacks/**/*.attrs", "locks/**/*.attrs")


def read_project(directory: Path) -> dict[str, Any]:
    """Return what a project's file has. Raises `InvalidRequestError` if it cannot be read."""
    file = directory / "Pulumi.yaml"
    try:
        project = read_yaml(file)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InvalidRequestError(
            f"There is no Pulumi.yaml in {directory}. Name the project's folder with --folder."
        ) from error
    except (YamlError, OSError) as error:
        raise InvalidRequestError(f"Cannot read {file}: {error}") from error
    return project if isinstance(project, dict) else {}


def backend_from(backend: str | None, folder: Path | None = None) -> dict[str, str]:
    """Return the environment in which the CLI uses the same backend as in the user's folder.

    Pulumi resolves a relative file:// URL from its working folder, which may be a temporary one.
    `folder` is the project's, which may name a backend of its own.
    """
    if backend:
        url: str | None = absolute(backend, Path.cwd())
    else:
        url = os.environ.get(_VARIABLE) or _named_in(folder) or _logged_in_to()
        url = url and absolute(url, folder or Path.cwd())
    return {_VARIABLE: _without_attributes(url)} if url else {}


def absolute(url: str, directory: Path) -> str:
    """Make the path in a backend's file:// URL absolute."""
    path = url.removeprefix(_FILE)
    if path == url or path.startswith("~"):
        return url
    return f"{_FILE}{(directory / path).absolute()}"


def remove_empty_attributes(backend: str | None) -> None:
    """Remove the empty files of attributes that a killed `pulumi` left in a file:// backend.

    With one of them there, every later command fails. Without one, its file is read all the same:
    https://github.com/google/go-cloud/blob/master/blob/fileblob/attrs.go
    """
    if not backend or not backend.startswith(_FILE):
        return
    path = unquote(backend.removeprefix(_FILE).partition("?")[0])
    state = Path(path).expanduser() / ".pulumi"
    with suppress(OSError):
        # Not all that is in there: plugins may be, too.
        for file in chain.from_iterable(map(state.glob, _ATTRIBUTES)):
            if not file.stat().st_size:
                file.unlink(missing_ok=True)


def _without_attributes(url: str) -> str:
    if not url.startswith(_FILE) or "metadata=" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}{_NO_ATTRIBUTES}"


def _named_in(folder: Path | None) -> str | None:
    """Return the URL that a project's file names."""
    backend = read_project(folder).get("backend") if folder else None
    return str(backend["url"]) if isinstance(backend, dict) and backend.get("url") else None


def _logged_in_to() -> str | None:
    """Return the file:// URL of `pulumi login`; the CLI resolves other URLs by itself."""
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    try:
        current = json.loads((home / "credentials.json").read_text(encoding="utf-8"))["current"]
    except (OSError, ValueError, KeyError):
        return None
    return str(current) if str(current).startswith(_FILE) else None
