"""moto's state machines, made to run, and to call the services of a local ring.

moto interprets their definitions, if asked to: the same ones that Step Functions is given. It knows
no redrive.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import boto3
from botocore.config import Config
from moto.core.config import default_user_config

from local.clients import FAKE_CREDENTIALS

_CONFIG = Config(
    # As long as a function may take. A call that fails is the state machine's to try again.
    read_timeout=960,
    retries={"total_max_attempts": 1},
    proxies={},
    s3={"addressing_style": "path"},
)


@contextmanager
def state_machines_executed(endpoint: str) -> Iterator[None]:
    """Have state machines that are made now be run, for as long as the context lasts."""
    # It takes a second to import what interprets them, and few rings have one.
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_reader.eval import (  # noqa: PLC0415
        resource_eval_s3,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_task import (  # noqa: PLC0415
        lambda_eval_utils,
    )
    from moto.stepfunctions.parser.models import stepfunctions_parser_backends  # noqa: PLC0415

    def client(region: str, service: str, state_credentials: Any = None) -> Any:
        make: Any = boto3.Session(
            aws_access_key_id=FAKE_CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=FAKE_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        ).client
        return make(service, region_name=region, endpoint_url=endpoint, config=_CONFIG)

    with (
        patch.dict(default_user_config, {"stepfunctions": {"execute_state_machine": True}}),
        patch.object(resource_eval_s3, "boto_client_for", client),
        patch.object(lambda_eval_utils, "boto_client_for", client),
    ):
        try:
            yield
        finally:
            _stop_all(stepfunctions_parser_backends)


def _stop_all(backends: Any) -> None:
    """Stop what runs: its threads would outlive the endpoint."""
    machines = [
        machine
        for regions in backends.values()
        for backend in regions.values()
        for machine in backend.state_machines
    ]
    for execution in [one for machine in machines for one in machine.executions]:
        if execution.status == "RUNNING":
            execution.stop(datetime.now(UTC), None, None)
