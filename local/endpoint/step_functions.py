"""Execute and log state machines in moto, with the services of a local ring.

moto can interpret the same definitions as Step Functions. It does not implement redrive.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

from botocore.config import Config
from moto.core.config import default_user_config

from local.clients import Clients

_CONFIG = Config(
    # Lambda's maximum timeout plus a minute. The state machine itself retries failed calls.
    read_timeout=960,
    retries={"total_max_attempts": 1},
)


@contextmanager
def state_machines_executed(endpoint: str) -> Iterator[None]:
    """Execute state machines that are created while the context lasts."""
    # Importing the interpreter takes a second, and few rings have a state machine.
    from moto.stepfunctions.parser import models  # noqa: PLC0415
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_reader.eval import (  # noqa: PLC0415
        resource_eval_s3,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_task import (  # noqa: PLC0415
        lambda_eval_utils,
    )

    from local.cloudwatch.execution_log import executions_logged  # noqa: PLC0415

    clients = Clients(endpoint, config=_CONFIG)

    def client(region: str, service: str, state_credentials: Any = None) -> Any:
        return clients.client(service, region)

    with (
        patch.dict(default_user_config, {"stepfunctions": {"execute_state_machine": True}}),
        patch.object(resource_eval_s3, "boto_client_for", client),
        patch.object(lambda_eval_utils, "boto_client_for", client),
        executions_logged(),
    ):
        try:
            yield
        finally:
            _stop_all(models.stepfunctions_parser_backends)
            clients.close()


def _stop_all(backends: Any) -> None:
    """Stop all executions: their threads would outlive the endpoint."""
    machines = [
        machine
        for regions in backends.values()
        for backend in regions.values()
        for machine in backend.state_machines
    ]
    for execution in [execution for machine in machines for execution in machine.executions]:
        if execution.status == "RUNNING":
            execution.stop(datetime.now(UTC), None, None)
