"""Cache of botocore's JSON files: every session reads megabytes, longer than most tests take."""

from contextlib import AbstractContextManager
from functools import cache
from typing import Any
from unittest.mock import patch

from botocore.loaders import JSONFileLoader

_load = cache(JSONFileLoader().load_file)


def read_once() -> AbstractContextManager[Any]:
    """Read each file once per process, while the context lasts."""
    return patch.object(JSONFileLoader, "load_file", lambda _, path: _load(path))
