"""Patches for moto where a ring would notice a difference from AWS."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from moto.awslambda.models import EventSourceMapping, LambdaBackend
from moto.core.common_models import BaseModel
from moto.core.config import default_user_config
from moto.dynamodb.responses import DynamoHandler
from moto.dynamodbstreams.models import dynamodbstreams_backends
from moto.dynamodbstreams.responses import DynamoDBStreamsHandler
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server import werkzeug_app
from moto.utilities.aws_headers import gen_amzn_requestid_long

from handler.model.attribute_values import encode_binary
from local.moto_patches.batch_writes import batch_writes_of_dynamodb
from local.moto_patches.capacity import capacity_units_of_dynamodb
from local.moto_patches.expressions.comparisons import comparisons_by_type
from local.moto_patches.expressions.updates import updates_by_value
from local.moto_patches.expressions.whitespace import white_space_as_blanks
from local.moto_patches.missing_calls import missing_calls_added
from local.moto_patches.partiql.statements import partiql_writes_and_refusals
from local.moto_patches.refused_parameters import unknown_parameters_refused
from local.moto_patches.repeated_transactions import transactions_applied_once
from local.moto_patches.retention import drop_old_lines, drop_old_metrics
from local.moto_patches.same_items import items_named_once
from local.moto_patches.scans import scans_by_page
from local.moto_patches.speed import repetition_avoided
from local.moto_patches.statistics import metric_statistics
from local.moto_patches.streams import streams_by_arn, trim_records
from local.moto_patches.tables import atomic_requests

KEPT_ITERATORS = 10_000
DROP_SECONDS = 1.0
"""Interval at which old data is deleted."""


class _LastDrop:
    """When old data was dropped last, by `time.monotonic`."""

    at = 0.0


def drop_old_data() -> None:
    """Delete old data that moto would keep for ever, at intervals. To be called often."""
    now = time.monotonic()
    if now < _LastDrop.at + DROP_SECONDS:
        return
    _LastDrop.at = now
    trim_records()
    _drop_old_iterators()
    drop_old_metrics()
    drop_old_lines()


def _drop_old_iterators() -> None:
    """Delete old shard iterators.

    moto keeps all of them, and a ring of three uses a dozen per second. AWS's own expire after 15
    minutes.
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetShardIterator.html
    """
    for regions in dynamodbstreams_backends.values():
        for backend in regions.values():
            iterators = backend.shard_iterators
            while len(iterators) > KEPT_ITERATORS:
                del iterators[next(iter(iterators))]


def _untracked(cls: type[BaseModel], *_: object, **__: object) -> BaseModel:
    """Create an object without moto's list of all that ever were, which keeps what is dropped.

    That of S3 is read: the files of all objects are closed by it.
    """
    instance = object.__new__(cls)
    if cls.__module__.startswith("moto.s3."):
        tracked: Any = cls
        tracked.instances_tracked.append(instance)
    return instance


def _get_records(handler: DynamoDBStreamsHandler) -> str:
    """Implement GetRecords in a tenth of moto's time.

    moto serializes each field by its API model. A record is already JSON, except for its binary
    values, and has no cycle: looking for one takes a third of the time.
    """
    limit = handler._get_param("Limit") or 1000
    page = handler.backend.get_records(handler._get_param("ShardIterator"), limit)
    return json.dumps(page, default=encode_binary, check_circular=False)


def _identify(headers: dict[str, str], body: Any) -> tuple[dict[str, str], Any]:
    """Add the request's ID to the headers.

    moto also writes it into the body wherever that has an XML element RequestId. These services
    have JSON, so this only ever changes an item that happens to hold such a text.
    """
    if "status" in headers:
        headers["status"] = str(headers["status"])
    gen_amzn_requestid_long(headers)
    return headers, body


def _list_mappings(
    backend: LambdaBackend, event_source_arn: str, function_name: str
) -> list[EventSourceMapping]:
    """List mappings by their functions' names or ARNs; moto compares only the form given before."""

    def matches(mapping: EventSourceMapping) -> bool:
        arn = mapping.function_arn
        names = (None, "", mapping.function_name, arn, arn.rpartition(":")[2])
        return event_source_arn in (None, "", mapping.event_source_arn) and function_name in names

    return [mapping for mapping in backend._event_source_mappings.values() if matches(mapping)]


@contextmanager
def moto_patched(stream_retention: float) -> Iterator[None]:
    """Patch moto and reset its state while the context lasts.

    `stream_retention` is the age in seconds from which records are trimmed from their streams.
    """
    with ExitStack() as changes:
        changes.enter_context(patch.dict(default_user_config, {"lambda": {"use_docker": False}}))
        changes.enter_context(
            patch.object(LambdaBackend, "list_event_source_mappings", _list_mappings)
        )
        changes.enter_context(patch.object(DynamoDBStreamsHandler, "get_records", _get_records))
        for handler in (DynamoHandler, DynamoDBStreamsHandler):
            changes.enter_context(
                patch.object(handler, "_enrich_response", staticmethod(_identify))
            )
        changes.enter_context(patch.object(BaseModel, "__new__", _untracked))
        changes.enter_context(streams_by_arn(stream_retention))
        changes.enter_context(atomic_requests())
        changes.enter_context(batch_writes_of_dynamodb())
        changes.enter_context(repetition_avoided())
        changes.enter_context(comparisons_by_type())
        changes.enter_context(updates_by_value())
        changes.enter_context(white_space_as_blanks())
        changes.enter_context(transactions_applied_once())
        changes.enter_context(capacity_units_of_dynamodb())
        changes.enter_context(metric_statistics())
        changes.enter_context(partiql_writes_and_refusals())
        changes.enter_context(missing_calls_added())
        changes.enter_context(items_named_once())
        changes.enter_context(unknown_parameters_refused())
        changes.enter_context(scans_by_page())
        # By default moto allows every web page to read its responses.
        changes.enter_context(patch.object(werkzeug_app, "DISABLE_GLOBAL_CORS", True))
        moto_api_backend.reset()
        try:
            yield
        finally:
            moto_api_backend.reset()
