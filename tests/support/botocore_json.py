"""Botocore's megabytes of JSON, which each session reads again: longer than most tests take."""

from contextlib import AbstractContextManager
from functools import cache
from typing import Any
from unittest.mock import patch

from botocore.loaders import JSONFileLoader

_load = cache(JSONFileLoader().load_file)


def read_once() -> AbstractContextManager[Any]:
    """Read each file once in the life of this process, as long as the context lasts."""
    return patch.object(JSONFileLoader, "load_file", lambda _, path: _load(path))
