"""Lambda's Invoke API for the functions of a local ring.

moto does not run them; and requests that a function sends meanwhile would wait for moto to finish
the invocation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from local.lambda_emulator.worker_process import FunctionError

Function = Callable[[Any], Any]

_PATH = re.compile(r"/2015-03-31/functions/([^/]+)/invocations/?")


class Invocations:
    """The functions that can be invoked, by name."""

    def __init__(self) -> None:
        self._functions: Mapping[str, Function] = {}

    def offer(self, functions: Mapping[str, Function]) -> None:
        """Set the functions that can be invoked; the keys are ARNs."""
        self._functions = {_name(arn): function for arn, function in functions.items()}

    def answer(self, path: str, body: bytes) -> tuple[dict[str, str], bytes] | None:
        """Return headers and body of the response; None for another path or function.

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
            document = {"errorType": error.kind, "errorMessage": error.message}
            return headers | {"X-Amz-Function-Error": "Unhandled"}, json.dumps(document).encode()


def _name(function: str) -> str:
    """Return a function's name, given the name or the ARN."""
    return function.rpartition(":")[2]
