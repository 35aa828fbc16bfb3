"""The script that runs in a function's process and calls the handler, like Lambda's runtime.

Started by `local.lambda_emulator.worker_process` with the handler's name and the file descriptors
for events and responses. It imports nothing of this project, and the handler cannot either: its
task directory is the only addition to the path.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
import time
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable


class Context:
    """A handler's second argument, with the attributes that Lambda documents for Python.

    https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
    """

    def __init__(self, request_id: str, function_arn: str, seconds: float) -> None:
        self.aws_request_id = request_id
        self.invoked_function_arn = function_arn
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self._end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the timeout."""
        return max(0, int((self._end - time.monotonic()) * 1000))


def main(handler: str, events: TextIO, answers: TextIO) -> None:
    """Import the handler, report that it is ready, then answer events until there are no more."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # in order with stderr
    logging.basicConfig(stream=sys.stdout, format="[%(levelname)s]\t%(asctime)s\t%(message)s")
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    try:
        function = _load(handler)
    except BaseException as error:
        logging.exception("The handler cannot be imported.")
        _send(answers, _failure(error))
        return
    _send(answers, {"ready": True})
    for line in events:
        _send(answers, _answer(function, json.loads(line)))


def _load(handler: str) -> Callable[[Any, Context], Any]:
    module, _, name = handler.rpartition(".")
    function: Callable[[Any, Context], Any] = getattr(importlib.import_module(module), name)
    return function


def _answer(function: Callable[[Any, Context], Any], request: dict[str, Any]) -> dict[str, Any]:
    context = Context(request["requestId"], request["functionArn"], request["seconds"])
    try:
        # Encoded here, so that a response that is not JSON counts as an error of the handler.
        return {"answer": json.dumps(function(request["event"], context))}
    except Exception as error:
        logging.exception("The handler raised an error.")
        return _failure(error)


def _failure(error: BaseException) -> dict[str, Any]:
    return {"errorType": type(error).__name__, "errorMessage": str(error)}


def _send(answers: TextIO, message: dict[str, Any]) -> None:
    # The output of an invocation must arrive before its response, as in Lambda.
    sys.stdout.flush()
    sys.stderr.flush()
    answers.write(json.dumps(message) + "\n")
    answers.flush()


if __name__ == "__main__":
    with os.fdopen(int(sys.argv[2])) as incoming, os.fdopen(int(sys.argv[3]), "w") as outgoing:
        main(sys.argv[1], incoming, outgoing)
