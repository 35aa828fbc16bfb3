"""A hop of a local ring: the stack's function, its event source mapping, and their statistics."""

from __future__ import annotations

import json
import threading
from collections import Counter, deque
from typing import TYPE_CHECKING, Any

from local.cloud.resources.archive import zip_archive
from local.cloudwatch.telemetry import MappingTelemetry, Telemetry
from local.lambda_emulator.batching import Policy
from local.lambda_emulator.event_source_mapping import EventMapping
from local.lambda_emulator.events import FailurePlace
from local.lambda_emulator.failure_destination import S3Destination
from local.lambda_emulator.function import FunctionSpec, LocalFunction
from local.lambda_emulator.mapping_stats import Observers
from local.lambda_emulator.stream_reader import StreamReader
from ring.arn import Arn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.cloud.resources import Location, Properties
    from local.cloud.state import Resource
    from local.live.recent import Recent


_NOTES = 5


class HopTally:
    """Counters of a hop, from its handler's log lines.

    The numbers in lines of the event `batch` are summed; the last of the other lines are kept in
    `notes`.
    """

    def __init__(self) -> None:
        self.notes: deque[str] = deque(maxlen=_NOTES)
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def add_line(self, line: str) -> None:
        """Add a line of the handler's log."""
        fields = _fields(line)
        if fields.get("event") != "batch":
            self.notes.append(line)
            return
        numbers = {name: value for name, value in fields.items() if type(value) is int}
        with self._lock:
            self._counts.update(numbers)

    def read(self) -> Mapping[str, int]:
        """Return the sums so far, by the handler's field names."""
        with self._lock:
            return Counter(self._counts)


def _fields(line: str) -> dict[str, Any]:
    """Return the fields of a JSON line; none for another line."""
    try:
        fields = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return fields if isinstance(fields, dict) else {}


class LocalHop:
    """A deployed hop: a function and its event source mapping."""

    def __init__(
        self,
        names: Mapping[str, str],
        function: Resource,
        mapping: Resource,
        recent: Recent,
        environment: Mapping[str, str],
    ) -> None:
        self.mapping_id = mapping.id
        self._location = function.location
        self.source = names["source"]
        self.target = names["target"]
        self.quarantine = names["quarantine"]
        self.tally = HopTally()
        self._recent = recent
        self._environment = environment
        self.telemetry = telemetry_of(function)
        self._endpoint = function.location.clients.endpoint
        self.function = self._function(function_spec(function, environment))
        self.mapping = self._mapping(mapping.outputs)
        self._switch(mapping)
        self._deployed = (function, mapping)

    def change(self, function: Resource, mapping: Resource) -> None:
        """Continue with a new deployment of the function and of the mapping's settings.

        Does nothing if they are the same ones: an invocation may run, and in a region that is down
        it ends late.
        """
        if self._deployed == (function, mapping):
            return
        self._deployed = (function, mapping)
        before, spec = self.function, function_spec(function, self._environment)
        if spec != before.spec:
            self.function = self._function(spec)
        self.mapping.change(self.function.invoke, policy_of(mapping.outputs))
        self._switch(mapping)
        if self.function is not before:
            before.close()

    def _switch(self, mapping: Resource) -> None:
        """Enable or disable the mapping, as it is deployed."""
        if mapping.outputs.get("enabled", True):
            self.mapping.enable()
        else:
            self.mapping.disable()
            self.mapping.settle()

    def begin(self, mapping_id: str, outputs: Properties) -> None:
        """Replace a deleted mapping by a new one."""
        mapping = self._mapping(outputs)
        if not outputs.get("enabled", True):
            mapping.disable()
        self.mapping, self.mapping_id = mapping, mapping_id

    def _function(self, spec: FunctionSpec) -> LocalFunction:
        return LocalFunction(spec, self._endpoint, self._add_line, self.telemetry.add_invocation)

    def _add_line(self, line: str) -> None:
        self.tally.add_line(line)
        self._recent.add_line(self.source, line)
        self.telemetry.add_line(line)

    def _mapping(self, outputs: Properties) -> EventMapping:
        mapping = _mapping(outputs, self._location, self.function)
        mapping.observer = Observers(
            MappingTelemetry(self.telemetry, outputs["uuid"]),
            self._recent.observer(self.source, self.target),
        )
        return mapping

    @property
    def label(self) -> str:
        """The hop's display name, `source -> target`."""
        return f"{self.source} -> {self.target}"


def telemetry_of(function: Resource) -> Telemetry:
    """Return a new `Telemetry` for a deployed function."""
    place, name = function.location, function.outputs["name"]
    return Telemetry(
        place.account, place.region, name, _log_group(function) or f"/aws/lambda/{name}"
    )


def _log_group(function: Resource) -> str:
    group: str = function.outputs.get("loggingConfig", {}).get("logGroup", "")
    return group


def function_spec(resource: Resource, environment: Mapping[str, str]) -> FunctionSpec:
    """Return the specification of a deployed function.

    Its environment is the stack's, with other values of some variables.
    """
    outputs = resource.outputs
    return FunctionSpec(
        name=outputs["name"],
        arn=outputs["arn"],
        region=resource.location.region,
        handler=outputs["handler"],
        archive=zip_archive(outputs["code"]),
        timeout=float(outputs.get("timeout", 3)),
        memory=outputs.get("memorySize", 128),
        environment={**outputs.get("environment", {}).get("variables", {}), **environment},
        credentials=resource.location.clients.credentials,
        log_group=_log_group(resource),
    )


def _mapping(outputs: Properties, location: Location, function: LocalFunction) -> EventMapping:
    reader = StreamReader(
        location.clients.records(location.region),
        outputs["eventSourceArn"],
        outputs["startingPosition"],
    )
    destination = _destination(outputs, location, reader)
    return EventMapping(reader, function.invoke, policy_of(outputs), destination)


def _destination(
    outputs: Properties, location: Location, reader: StreamReader
) -> S3Destination | None:
    on_failure = outputs.get("destinationConfig", {}).get("onFailure")
    if not on_failure:
        return None
    return S3Destination(
        location.clients.s3(location.region),
        Arn.parse(on_failure["destinationArn"]).resource,
        FailurePlace(outputs["uuid"], outputs["functionArn"], reader.arn, reader.shard),
    )


def policy_of(outputs: Properties) -> Policy:
    """Return the policy of an event source mapping, with Lambda's defaults.

    https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html
    """
    return Policy(
        batch_size=outputs.get("batchSize", 100),
        window=float(outputs.get("maximumBatchingWindowInSeconds", 0)),
        parallel=outputs.get("parallelizationFactor", 1),
        bisect=outputs.get("bisectBatchOnFunctionError", False),
        max_retries=outputs.get("maximumRetryAttempts", -1),
        max_age=outputs.get("maximumRecordAgeInSeconds", -1),
        reports_failures="ReportBatchItemFailures" in outputs.get("functionResponseTypes", []),
    )
