"""Parts of calls of the AWS provider that moto does not implement."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from moto.awslambda.models import LambdaFunction
from moto.core.responses import ActionResult
from moto.dynamodb.responses import DynamoHandler
from moto.stepfunctions.responses import StepFunctionResponse

_init = LambdaFunction.__init__
_get = LambdaFunction.get_configuration
_update = LambdaFunction.update_configuration
_update_table = DynamoHandler.update_table


@contextmanager
def missing_calls_added() -> Iterator[None]:
    """Store functions' logging configuration, change tables' KMS keys, validate state machines."""
    with ExitStack() as changes:
        for name, method in {
            "__init__": _init_with_logging,
            "get_configuration": _get_with_logging,
            "update_configuration": _update_with_logging,
        }.items():
            changes.enter_context(patch.object(LambdaFunction, name, method))
        changes.enter_context(patch.object(DynamoHandler, "update_table", _update_table_key))
        changes.enter_context(
            patch.object(
                StepFunctionResponse, "validate_state_machine_definition", _validate, create=True
            )
        )
        yield


def _update_table_key(handler: Any) -> ActionResult:
    if key := handler.body.get("SSESpecification"):
        table = handler.dynamodb_backend.get_table(handler.body["TableName"])
        table.sse_specification = key if key.get("Enabled") else None
    return _update_table(handler)


def _init_with_logging(
    function: Any, account_id: str, spec: dict[str, Any], *more: Any, **named: Any
) -> None:
    _init(function, account_id, spec, *more, **named)
    function.logging = spec.get("LoggingConfig")


def _update_with_logging(function: Any, changes: dict[str, Any]) -> dict[str, Any]:
    function.logging = changes.get("LoggingConfig", function.logging)
    return _update(function, changes)


def _get_with_logging(function: Any, on_create: bool = False) -> dict[str, Any]:
    """Add the logging configuration.

    For the defaults see https://docs.aws.amazon.com/lambda/latest/api/API_LoggingConfig.html
    """
    default = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{function.function_name}"}
    config = default | (function.logging or {})
    return {**_get(function, on_create), "LoggingConfig": config}


def _validate(handler: StepFunctionResponse) -> ActionResult:
    """Validate the parts that every definition must have.

    https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinition.html
    """
    problem = _problem(handler._get_param("definition"))
    found = [{"severity": "ERROR", "code": "SCHEMA_VALIDATION_FAILED", "message": problem}]
    return ActionResult(
        {"result": "FAIL" if problem else "OK", "diagnostics": found if problem else []}
    )


def _problem(definition: str) -> str | None:
    try:
        document = json.loads(definition)
        start, states = document["StartAt"], document["States"]
    except (ValueError, KeyError, TypeError) as error:
        return f"the definition has no StartAt and States: {error!r}"
    return None if start in states else f"StartAt is {start}, which is not in States"
