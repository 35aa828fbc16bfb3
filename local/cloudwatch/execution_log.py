"""The log of a state machine's executions, which moto is told of and does not write."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any
from unittest.mock import patch

from moto.logs.models import logs_backends
from moto.stepfunctions.parser import models
from moto.stepfunctions.parser.asl.eval.event.logging import (
    CloudWatchLoggingConfiguration,
    CloudWatchLoggingSession,
)
from moto.stepfunctions.parser.backend.execution import Execution


class _Log(CloudWatchLoggingSession):
    """Writes the events of one execution into a log group, as Step Functions has them delivered.

    https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
    """

    def publish_history_log(self, history_log: Any) -> None:
        """Write an event, unless somebody has deleted the log group."""
        told = self.configuration
        group = logs_backends[told.log_account_id][told.log_region].groups.get(told.log_group_name)
        if group is None:
            return
        if told.log_stream_name not in group.streams:
            group.create_log_stream(told.log_stream_name)
        event = {"timestamp": _milliseconds(history_log), "message": json.dumps(history_log)}
        group.put_log_events(told.log_stream_name, [event])


def _milliseconds(history_log: Any) -> int:
    return int(datetime.fromisoformat(history_log["event_timestamp"]).timestamp() * 1000)


def _begun(execution: Any, **told: Any) -> Any:
    machine = told["state_machine"]
    logging = CloudWatchLoggingConfiguration.from_logging_configuration(
        machine.arn, machine.loggingConfiguration
    )
    log = _Log(told["exec_arn"], logging) if logging else None
    return execution(**{**told, "cloud_watch_logging_session": log})


@contextmanager
def executions_logged() -> Iterator[None]:
    """Have executions that begin now be logged as their machine says."""
    with patch.object(models, "Execution", partial(_begun, Execution)):
        yield
