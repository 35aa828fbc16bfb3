"""Functions of a local ring that whoever knows its endpoint may call, as Lambda's Invoke does.

moto would not run them; and while it answers one request, it takes no other, such as those that the
function makes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from local.lambda_emulator.function import FunctionError

Function = Callable[[Any], Any]

_PATH = re.compile(r"/2015-03-31/functions/([^/]+)/invocations/?")


class Invocations:
    """The functions, by their names."""

    def __init__(self) -> None:
        self._functions: Mapping[str, Function] = {}

    def offer(self, functions: Mapping[str, Function]) -> None:
        """Let these functions be called, by their ARNs or names, and no others."""
        self._functions = {_name(arn): function for arn, function in functions.items()}

    def answer(self, path: str, body: bytes) -> tuple[dict[str, str], bytes] | None:
        """Headers and body of the answer to a call; None: the path is that of none.

        https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
        """
        found = _PATH.fullmatch(path)
        function = found and self._functions.get(_name(found[1]))
        if not function:
            return None
        headers = {"Content-Type": "application/json"}
        try:
            return headers, json.dumps(function(json.loads(body or b"{}"))).encode()
        except FunctionError as error:
            told = {"errorType": error.kind, "errorMessage": error.message}
            return headers | {"X-Amz-Function-Error": "Unhandled"}, json.dumps(told).encode()


def _name(function: str) -> str:
    """A function's name, which may be the end of its ARN."""
    return function.rpartition(":")[2]
