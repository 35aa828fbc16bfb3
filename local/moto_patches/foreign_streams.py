"""Let moto create event source mappings of streams that are in another DynamoDB server."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from moto.awslambda.models import EventSourceMapping, LambdaBackend

if TYPE_CHECKING:
    from collections.abc import Iterator


def _create_mapping(backend: LambdaBackend, spec: dict[str, Any]) -> EventSourceMapping:
    """Create an event source mapping as moto does, without looking up the stream."""
    function = backend.get_function(spec["FunctionName"])
    spec |= {
        "RegionName": backend.region_name,
        "AccountId": backend.account_id,
        "FunctionArn": function.function_arn,
    }
    mapping: EventSourceMapping = EventSourceMapping(spec)  # type: ignore[abstract]
    backend._event_source_mappings[mapping.uuid] = mapping
    return mapping


@contextmanager
def mappings_of_foreign_streams() -> Iterator[None]:
    """Accept mappings of streams that moto does not have, while the context lasts."""
    with patch.object(LambdaBackend, "create_event_source_mapping", _create_mapping):
        yield
