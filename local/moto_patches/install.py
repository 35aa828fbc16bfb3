"""moto, made to behave as AWS does where a ring would see the difference."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import SupportsFloat
from unittest.mock import patch

from moto.awslambda.models import EventSourceMapping, LambdaBackend
from moto.awslambda_simple.models import LambdaSimpleBackend
from moto.cloudwatch.models import Statistics
from moto.core.config import default_user_config
from moto.dynamodbstreams.models import dynamodbstreams_backends
from moto.dynamodbstreams.responses import DynamoDBStreamsHandler
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server import werkzeug_app

from handler.model.attribute_values import encode_binary
from local.moto_patches.capacity import capacity_as_dynamodb_counts_it
from local.moto_patches.missing_calls import without_gaps
from local.moto_patches.partiql import partiql_that_refuses
from local.moto_patches.retention import forget_old_lines, forget_old_metrics
from local.moto_patches.streams import streams_by_arn
from local.moto_patches.tables import requests_all_or_nothing

_KEPT_ITERATORS = 10_000


def forget_what_is_old() -> None:
    """Let go of what moto would keep for ever; to be called now and then."""
    _forget_old_iterators()
    forget_old_metrics()
    forget_old_lines()


def _forget_old_iterators() -> None:
    """Let go of shard iterators that were given out long ago.

    moto keeps every one for ever, and a ring of three asks for a dozen a second. AWS's own are
    good for 15 minutes.
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetShardIterator.html
    """
    for regions in dynamodbstreams_backends.values():
        for backend in regions.values():
            iterators = backend.shard_iterators
            while len(iterators) > _KEPT_ITERATORS:
                del iterators[next(iter(iterators))]


def _get_records(handler: DynamoDBStreamsHandler) -> str:
    """Answer GetRecords as moto does, in a tenth of the time, and with times as DynamoDB has them.

    moto looks each of a record's fields up in its model of the API; a record is JSON already, but
    for its binary values and its time, which a real stream gives in whole seconds.
    """
    limit = handler._get_param("Limit") or 1000
    page = handler.backend.get_records(handler._get_param("ShardIterator"), limit)
    return json.dumps(page, default=_on_the_wire)


def _on_the_wire(value: object) -> int | str:
    if isinstance(value, datetime):
        return int(value.timestamp())
    return encode_binary(value)


def _list_mappings(
    backend: LambdaBackend, event_source_arn: str, function_name: str
) -> list[EventSourceMapping]:
    """List mappings by their functions' names or ARNs; moto knows only how each was told."""
    return [
        one
        for one in backend._event_source_mappings.values()
        if event_source_arn in (None, "", one.event_source_arn)
        and function_name
        in (None, "", one.function_name, one.function_arn, one.function_arn.rpartition(":")[2])
    ]


_statistic = Statistics.get_statistics_for_type


def _statistic_or_percentile(statistics: Statistics, stat: str) -> SupportsFloat | None:
    """Answer with a percentile too, which moto does not know: the value at its rank.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
    """
    if not re.fullmatch(r"p\d{1,2}(\.\d+)?", stat):
        return _statistic(statistics, stat)
    values = sorted(statistics.metric_single_values_list)
    rank = math.ceil(float(stat[1:]) / 100 * len(values))
    return values[max(rank - 1, 0)] if values else None


@contextmanager
def moto_without_surprises() -> Iterator[None]:
    """Set moto up for a ring, with no state of an earlier server, and put everything back after."""
    with ExitStack() as changes:
        changes.enter_context(patch.dict(default_user_config, {"lambda": {"use_docker": False}}))
        # Once it knows an event source mapping, moto calls the function inside every write, with
        # the stream's whole history, and then empties the stream. Our own mappings poll it.
        changes.enter_context(
            patch.object(LambdaSimpleBackend, "send_dynamodb_items", lambda *_: "")
        )
        changes.enter_context(
            patch.object(LambdaBackend, "list_event_source_mappings", _list_mappings)
        )
        changes.enter_context(patch.object(DynamoDBStreamsHandler, "get_records", _get_records))
        changes.enter_context(streams_by_arn())
        changes.enter_context(requests_all_or_nothing())
        changes.enter_context(capacity_as_dynamodb_counts_it())
        changes.enter_context(
            patch.object(Statistics, "get_statistics_for_type", _statistic_or_percentile)
        )
        changes.enter_context(partiql_that_refuses())
        changes.enter_context(without_gaps())
        # By default moto lets every web page that the user visits read its answers.
        changes.enter_context(patch.object(werkzeug_app, "DISABLE_GLOBAL_CORS", True))
        moto_api_backend.reset()
        try:
            yield
        finally:
            moto_api_backend.reset()
