"""Write the log of a state machine's executions, which moto accepts and does not write."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any
from unittest.mock import patch

from moto.stepfunctions.parser import models
from moto.stepfunctions.parser.asl.eval.event.logging import (
    CloudWatchLoggingConfiguration,
    CloudWatchLoggingSession,
)
from moto.stepfunctions.parser.backend.execution import Execution

from local.cloudwatch.delivery import put_lines


class _Log(CloudWatchLoggingSession):
    """Writes the events of one execution into a log group, as Step Functions has them delivered.

    https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
    """

    def publish_history_log(self, history_log: Any) -> None:
        """Write an event, unless somebody has deleted the log group."""
        target = self.configuration
        when = datetime.fromisoformat(history_log["event_timestamp"]).timestamp()
        put_lines(
            target.log_account_id,
            target.log_region,
            target.log_group_name,
            target.log_stream_name,
            [(when, json.dumps(history_log))],
        )


def _begun(execution: Any, **arguments: Any) -> Any:
    machine = arguments["state_machine"]
    logging = CloudWatchLoggingConfiguration.from_logging_configuration(
        machine.arn, machine.loggingConfiguration
    )
    log = _Log(arguments["exec_arn"], logging) if logging else None
    return execution(**{**arguments, "cloud_watch_logging_session": log})


@contextmanager
def executions_logged() -> Iterator[None]:
    """Have executions that begin now be logged as their machine says."""
    with patch.object(models, "Execution", partial(_begun, Execution)):
        yield
