"""Invoke functions at the rates of EventBridge rules."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from local.lambda_emulator.worker_process import FunctionError

if TYPE_CHECKING:
    from local.cloud.program import Deployment

_RULE = "aws:cloudwatch/eventRule:EventRule"
_TARGET = "aws:cloudwatch/eventTarget:EventTarget"
_SECONDS = {"minute": 60, "hour": 3_600, "day": 86_400}
_log = logging.getLogger(__name__)

Function = Callable[[Any], Any]


class Schedule:
    """Invoke functions at their rates until `close`; the first time after one interval."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, deployment: Deployment, functions: Mapping[str, Function]) -> None:
        """Start the deployed rules; `functions` are by their ARNs."""
        rules = {(rule.location.region, rule.id): rule.outputs for rule in deployment.of(_RULE)}
        for target in deployment.of(_TARGET):
            function = functions.get(target.outputs["arn"])
            if function is not None:
                rule = rules[target.location.region, target.outputs["rule"]]
                event = json.loads(target.outputs["input"])
                self.every(rate_seconds(rule["scheduleExpression"]), function, event)

    def every(self, seconds: float, function: Function, event: Any) -> None:
        """Invoke a function with an event at an interval in seconds."""
        thread = threading.Thread(
            target=self._run, args=(seconds, function, event), name="schedule", daemon=True
        )
        self._threads.append(thread)
        thread.start()

    def _run(self, seconds: float, function: Function, event: Any) -> None:
        while not self._ended.wait(seconds):
            try:
                function(event)
            except FunctionError as error:
                _log.info("A scheduled call failed: %s", error)

    def close(self) -> None:
        """Stop; an invocation in progress ends with its function."""
        self._ended.set()


def rate_seconds(expression: str) -> float:
    """Return the interval of a rate expression in seconds. Raises `ValueError` if it is invalid.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
    """
    found = re.fullmatch(r"rate\(([1-9]\d*) (minute|hour|day)(s?)\)", expression)
    if found is None or (found[1] == "1") == bool(found[3]):
        raise ValueError(
            f"{expression!r} is not a rate expression such as rate(1 minute) or rate(5 minutes)."
        )
    return float(int(found[1]) * _SECONDS[found[2]])
