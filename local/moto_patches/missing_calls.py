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
from moto.iam.access_control import IAMPolicy
from moto.logs.exceptions import ResourceNotFoundException
from moto.logs.responses import LogsResponse
from moto.s3.models import FakeBucket, s3_backends
from moto.s3.responses import S3Response
from moto.stepfunctions.responses import StepFunctionResponse

_init = LambdaFunction.__init__
_get = LambdaFunction.get_configuration
_update = LambdaFunction.update_configuration
_update_table = DynamoHandler.update_table
_WITHOUT_TLS = {"Bool": {"aws:SecureTransport": "false"}}
_get_permission = FakeBucket.get_permission
_bucket_response = S3Response._bucket_response
_key_response = S3Response._key_response


@contextmanager
def missing_calls_added() -> Iterator[None]:
    """Keep where functions log, change keys, validate state machines, check a bucket's owner."""
    with ExitStack() as changes:
        for name, method in {
            "__init__": _init_with_logging,
            "get_configuration": _get_with_logging,
            "update_configuration": _update_with_logging,
        }.items():
            changes.enter_context(patch.object(LambdaFunction, name, method))
        changes.enter_context(patch.object(DynamoHandler, "update_table", _update_table_key))
        changes.enter_context(patch.object(S3Response, "_bucket_response", _of_the_bucket))
        changes.enter_context(patch.object(S3Response, "_key_response", _of_the_key))
        changes.enter_context(patch.object(FakeBucket, "get_permission", _permission))
        for method in (_associate_kms_key, _disassociate_kms_key):
            name = method.__name__[1:]
            changes.enter_context(patch.object(LogsResponse, name, method, create=True))
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


def _of_the_bucket(handler: S3Response, request: Any, full_url: str) -> Any:
    return _denial(handler, request, full_url) or _bucket_response(handler, request, full_url)


def _of_the_key(handler: S3Response, request: Any, full_url: str) -> Any:
    return _denial(handler, request, full_url) or _key_response(handler, request, full_url)


_DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


def _denial(handler: S3Response, request: Any, full_url: str) -> tuple[int, Any, bytes] | None:
    """Return the response to a call that expects the bucket to be another account's; else None.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
    """
    expected = request.headers.get("x-amz-expected-bucket-owner")
    bucket = handler.parse_bucket_name_from_url(request, full_url)
    _, owner = s3_backends.bucket_accounts.get(bucket, (None, expected))
    if expected in (None, owner):
        return None
    return 403, {"Content-Type": "application/xml"}, _DENIED


def _permission(bucket: FakeBucket, action: str, resource: str) -> Any:
    """Judge by a bucket's policy, less what it says of calls without TLS.

    moto would deny them all, as it reads no conditions here; and what the loopback transports
    nobody else reads, so it stands for TLS.
    """
    if bucket.policy is None:
        return _get_permission(bucket, action, resource)
    policy = json.loads(bucket.policy)
    left = [one for one in policy["Statement"] if one.get("Condition") != _WITHOUT_TLS]
    return IAMPolicy(json.dumps({**policy, "Statement": left})).is_action_permitted(
        action, resource
    )


def _associate_kms_key(handler: LogsResponse) -> str:
    # https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_AssociateKmsKey.html
    _group(handler).kms_key_id = handler._get_param("kmsKeyId")
    return ""


def _disassociate_kms_key(handler: LogsResponse) -> str:
    _group(handler).kms_key_id = None
    return ""


def _group(handler: LogsResponse) -> Any:
    group = handler.logs_backend.groups.get(handler._get_param("logGroupName"))
    if group is None:
        raise ResourceNotFoundException
    return group


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
