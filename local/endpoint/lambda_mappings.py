"""Lambda's API for the event source mappings of running hops.

https://docs.aws.amazon.com/lambda/latest/api/API_UpdateEventSourceMapping.html
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from moto.iam.models import get_account_id_from

from local.cloud.resources.function import EventSourceMapping
from ring.arn import Arn, table_arn_of_stream

if TYPE_CHECKING:
    from local.hop import LocalHop
    from local.lambda_emulator.event_source_mapping import EventMapping
    from local.running_ring import RunningRing

_RANGES = {
    "BatchSize": (1, 10_000),
    "MaximumBatchingWindowInSeconds": (0, 300),
    "ParallelizationFactor": (1, 10),
    "MaximumRetryAttempts": (-1, 10_000),
    "MaximumRecordAgeInSeconds": (-1, 604_800),
}
"""https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html"""
_KNOWN = frozenset(
    {
        *_RANGES,
        "BisectBatchOnFunctionError",
        "DestinationConfig",
        "Enabled",
        "EventSourceArn",
        "FunctionName",
        "FunctionResponseTypes",
        "MetricsConfig",
        "StartingPosition",
        "Tags",
    }
)


class RefusedError(Exception):
    """A call is rejected. Says why, and what to do.

    `code` is the error code for Lambda, `json_code` for services with the JSON protocol.
    """

    def __init__(
        self, text: str, code: str = "InvalidParameterValueException", status: int = 400
    ) -> None:
        super().__init__(text)
        self.code = code
        self.status = status
        self.json_code = "ValidationException"


class MappingCalls:
    """Handle calls for mappings: moto stores their configuration, the ring applies it."""

    def __init__(self, ring: RunningRing) -> None:
        self._ring = ring
        self._lock = threading.Lock()

    def answer(
        self,
        method: str,
        id_: str | None,
        credential: str,
        body: bytes,
        moto: Callable[[], tuple[int, bytes]],
    ) -> tuple[int, Any]:
        """Return status and document of the response. Raises `RefusedError`."""
        if method == "GET":
            return self._read(moto)
        with self._lock:
            if method == "POST":
                return self._create(_request(body), credential, moto)
            hop = self._hop(id_)
            if method == "PUT":
                return self._update(hop, _request(body), moto)
            return self._delete(hop, moto)

    def _hop(self, id_: str | None) -> LocalHop:
        for hop in self._ring.hops.values():
            if id_ and hop.mapping_id == id_:
                return hop
        raise _missing()

    def _read(self, moto: Callable[[], tuple[int, bytes]]) -> tuple[int, Any]:
        status, body = moto()
        if status == 404:
            raise _missing()
        document = json.loads(body)
        running = {hop.mapping_id: hop.mapping for hop in self._ring.hops.values()}
        for described in document.get("EventSourceMappings", [document]):
            if mapping := running.get(described.get("UUID")):
                described.update(_live_state(mapping))
        return status, document

    @staticmethod
    def _update(
        hop: LocalHop, request: Mapping[str, Any], moto: Callable[[], tuple[int, bytes]]
    ) -> tuple[int, Any]:
        if others := sorted(set(request) - {"Enabled"}):
            raise RefusedError(
                f"{', '.join(others)} of a mapping cannot be changed while a local ring runs, only "
                "Enabled. Change `mapping` in the settings and restart the ring."
            )
        status, body = moto()
        enabled = request.get("Enabled")
        if enabled is True:
            hop.mapping.enable()
        elif enabled is False:
            hop.mapping.disable()
        return status, {**json.loads(body), **_live_state(hop.mapping)}

    @staticmethod
    def _delete(hop: LocalHop, moto: Callable[[], tuple[int, bytes]]) -> tuple[int, Any]:
        status, body = moto()
        hop.mapping.stop()
        hop.mapping_id = ""
        return status, json.loads(body)

    def _create(
        self, request: Mapping[str, Any], credential: str, moto: Callable[[], tuple[int, bytes]]
    ) -> tuple[int, Any]:
        hop = self._hop_of_function(str(request.get("FunctionName", "")), credential)
        _check(request, hop)
        if hop.mapping_id:
            raise RefusedError(
                "The event source arn and function provided mapping already exists. Please update "
                f"or delete the existing mapping with UUID {hop.mapping_id}",
                "ResourceConflictException",
                409,
            )
        status, body = moto()
        document = json.loads(body)
        if status >= 300:
            return status, document
        uuid = document["UUID"]
        self._ring.begin(hop, uuid, {**_outputs(request), "uuid": uuid})
        return status, {**document, "State": "Creating"}

    def _hop_of_function(self, function: str, credential: str) -> LocalHop:
        key, _, region, *_ = [*credential.split("/"), "", "", ""]
        account, name = get_account_id_from(key), function.rpartition(":")[2]
        for hop in self._ring.hops.values():
            arn = Arn.parse(hop.function.spec.arn)
            if (arn.account, arn.region, arn.resource) == (account, region, f"function:{name}"):
                return hop
        raise RefusedError(
            f"The function {function} in {region} belongs to no hop of this local ring. Give the "
            "function of a hop whose mapping was deleted."
        )


def _missing() -> RefusedError:
    return RefusedError(
        "The resource you requested does not exist.", "ResourceNotFoundException", 404
    )


def _request(body: bytes) -> dict[str, Any]:
    request = json.loads(body or b"{}")
    return request if isinstance(request, dict) else {}


def _live_state(mapping: EventMapping) -> dict[str, Any]:
    """Return the current state of a mapping in Lambda's terms."""
    stats = mapping.stats()
    result = f"PROBLEM: {stats.trouble}" if stats.trouble else stats.result
    return {"State": mapping.state, "LastProcessingResult": result}


def _check(request: Mapping[str, Any], hop: LocalHop) -> None:
    """Reject a mapping that cannot run locally. Raises `RefusedError`."""
    if others := sorted(set(request) - _KNOWN):
        raise RefusedError(f"A local ring does not support {', '.join(others)}. Leave it out.")
    for name, (least, most) in _RANGES.items():
        value = request.get(name, least)
        if type(value) is not int or not least <= value <= most:
            raise RefusedError(f"{name} must be from {least:,} to {most:,}, not {value!r}.")
    if request.get("StartingPosition") not in ("TRIM_HORIZON", "LATEST"):
        raise RefusedError("StartingPosition must be TRIM_HORIZON or LATEST for a DynamoDB stream.")
    stream, table = str(request.get("EventSourceArn", "")), hop.mapping.source
    if table_arn_of_stream(stream) != table_arn_of_stream(table):
        raise RefusedError(
            f"{stream or 'No EventSourceArn'} is not a stream of {table_arn_of_stream(table)}, "
            f"which the hop {hop.label} reads. Give that table's LatestStreamArn."
        )
    failures = (request.get("DestinationConfig") or {}).get("OnFailure") or {}
    if not str(failures.get("Destination", "arn:aws:s3:")).split(":")[2:3] == ["s3"]:
        raise RefusedError(
            "A local ring supports only a bucket as the failure destination. Give a bucket's ARN."
        )


def _outputs(request: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a request to the outputs of a mapping that a program declares."""
    names = {**EventSourceMapping.CHANGEABLE, **EventSourceMapping.FIXED}
    outputs = {ours: request[theirs] for ours, theirs in names.items() if theirs in request}
    destination = (request.get("DestinationConfig") or {}).get("OnFailure", {}).get("Destination")
    if destination:
        outputs["destinationConfig"] = {"onFailure": {"destinationArn": destination}}
    return outputs
