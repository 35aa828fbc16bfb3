"""Apply API calls that change a running ring, or reject them.

moto would store such a change without effect: it reads no stream and invokes no function. Calls for
tables, items, buckets, alarms and logs are not affected; moto implements these.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.endpoint.lambda_mappings import MappingCalls, RefusedError

if TYPE_CHECKING:
    from local.running_ring import RunningRing

_PATH_OF_LAMBDA = re.compile(
    r"/20\d\d-\d\d-\d\d/(?P<kind>[a-z-]+)(/(?P<name>[^/]*))?(/(?P<rest>.*))?"
)
_MAPPINGS = "event-source-mappings"
_EVENTS = "AWSEvents."
_UPDATE_TABLE = "DynamoDB_20120810.UpdateTable"
_MOTO_UPDATES = frozenset(
    {
        "TableName",
        "AttributeDefinitions",
        "BillingMode",
        "DeletionProtectionEnabled",
        "GlobalSecondaryIndexUpdates",
        "ProvisionedThroughput",
        "StreamSpecification",
        "WarmThroughput",
    }
)
"""Parameters of UpdateTable that moto implements; it ignores the others."""
_HARMLESS = re.compile(r"(Describe|List|Get|Test|Tag|Untag)")

_CHANGE_SETTINGS = "Change the settings and restart the ring."


@dataclass(frozen=True)
class Request:
    """An HTTP request. `credential` is the scope of its signature: key, date, region, service.

    `agent` is its User-Agent.
    """

    method: str
    path: str
    target: str
    credential: str
    body: bytes
    agent: str = ""


@dataclass(frozen=True)
class Response:
    """An HTTP response with a JSON document as its body."""

    status: int
    headers: dict[str, str]
    document: Any


CallMoto = Callable[[], tuple[int, bytes]]
"""Passes the request on to moto; returns status and body."""


class Control:
    """Handle API calls that concern a running ring. Until `offer`, no call does."""

    def __init__(self) -> None:
        self._mappings: MappingCalls | None = None
        self._deployer = ""

    def offer(self, ring: RunningRing, deployer: str) -> None:
        """Handle the calls that concern this ring, except those of its `deployer`.

        The deployer's requests have this text in their User-Agent; it changes the running ring
        itself, after the resources.
        """
        self._mappings = MappingCalls(ring)
        self._deployer = deployer

    def answer(self, request: Request, moto: CallMoto) -> Response | None:
        """Return the response to a request; None: moto handles it."""
        if self._mappings is None or self._deployer in request.agent:
            return None
        try:
            match = _PATH_OF_LAMBDA.fullmatch(request.path)
            # A bucket may be named like the date in Lambda paths; the signature has the service.
            if match and request.credential.split("/")[3:4] in ([], ["lambda"]):
                return self._lambda(request, moto, match, self._mappings)
            _check_events(request.target)
            _check_update(request)
        except RefusedError as refusal:
            return _refused(refusal, request)
        return None

    @staticmethod
    def _lambda(
        request: Request, moto: CallMoto, match: re.Match[str], mappings: MappingCalls
    ) -> Response | None:
        kind, name = match["kind"], match["name"]
        if kind == _MAPPINGS:
            status, document = mappings.answer(
                request.method, name, request.credential, request.body, moto
            )
            return Response(status, {"Content-Type": "application/json"}, document)
        if request.method == "GET" or kind == "tags":
            return None
        if match["rest"] in ("invocations", "invoke-async"):
            raise RefusedError(
                f"The function {name} cannot be invoked: this local ring runs only the functions "
                "of its own hops.",
                "ResourceNotFoundException",
                404,
            )
        raise RefusedError(
            f"{request.method} {request.path} would change a function, which a running local ring "
            f"does not support. {_CHANGE_SETTINGS}"
        )


def _check_events(target: str) -> None:
    """Reject changes of EventBridge rules: heartbeats continue as they were deployed."""
    operation = target.removeprefix(_EVENTS)
    if target.startswith(_EVENTS) and not _HARMLESS.match(operation):
        raise RefusedError(
            f"{operation} of EventBridge has no effect in a running local ring: its heartbeats "
            f"follow the settings. {_CHANGE_SETTINGS}"
        )


def _check_update(request: Request) -> None:
    if request.target != _UPDATE_TABLE:
        return
    try:
        update = json.loads(request.body)
    except ValueError:
        return  # moto reports it
    others = sorted(set(update) - _MOTO_UPDATES) if isinstance(update, dict) else []
    if others:
        raise RefusedError(
            f"UpdateTable with {', '.join(others)} has no effect in a local ring. Leave it out."
        )


def _refused(refusal: RefusedError, request: Request) -> Response:
    """Format an error as the service does: REST-JSON has its code in a header."""
    text = str(refusal)
    if request.target:
        return Response(
            400,
            {"Content-Type": "application/x-amz-json-1.0"},
            {"__type": f"com.amazonaws#{refusal.json_code}", "message": text},
        )
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": refusal.code}
    return Response(refusal.status, headers, {"Type": "User", "Message": text, "message": text})
