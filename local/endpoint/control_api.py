"""Calls at the endpoint that would change the ring while it runs: each does so, or is refused.

moto keeps what it is told and answers, but moves no record and calls no function by it. Tables,
items, buckets, alarms and logs are moto's own, and it does with them what it says.
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
"""What moto does of UpdateTable; the rest it takes and forgets."""
_HARMLESS = re.compile(r"(Describe|List|Get|Test|Tag|Untag)")

_CHANGE_SETTINGS = "Change the settings, and start the ring again."


@dataclass(frozen=True)
class Request:
    """A request: `credential` is the scope that it was signed for: key, date, region, service."""

    method: str
    path: str
    target: str
    credential: str
    body: bytes


@dataclass(frozen=True)
class Response:
    """An answer: status, headers and what is in its JSON."""

    status: int
    headers: dict[str, str]
    told: Any


AskMoto = Callable[[], tuple[int, bytes]]
"""Lets moto answer: status and body."""


class Control:
    """Answers the calls that are about a running ring; `offer` tells which. Before, none is."""

    def __init__(self) -> None:
        self._mappings: MappingCalls | None = None

    def offer(self, ring: RunningRing) -> None:
        """Answer for this ring from now on."""
        self._mappings = MappingCalls(ring)

    def answer(self, asked: Request, moto: AskMoto) -> Response | None:
        """Return the answer to a request; None: it is moto's to answer."""
        if self._mappings is None:
            return None
        try:
            found = _PATH_OF_LAMBDA.fullmatch(asked.path)
            # A bucket may be named after a day; what is signed says for which service.
            if found and asked.credential.split("/")[3:4] in ([], ["lambda"]):
                return self._lambda(asked, moto, found, self._mappings)
            _check_events(asked.target)
            _check_update(asked)
        except RefusedError as refusal:
            return _refused(refusal, asked)
        return None

    @staticmethod
    def _lambda(
        asked: Request, moto: AskMoto, found: re.Match[str], mappings: MappingCalls
    ) -> Response | None:
        kind, name = found["kind"], found["name"]
        if kind == _MAPPINGS:
            status, told = mappings.answer(asked.method, name, asked.credential, asked.body, moto)
            return Response(status, {"Content-Type": "application/json"}, told)
        if asked.method == "GET" or kind == "tags":
            return None
        if found["rest"] in ("invocations", "invoke-async"):
            raise RefusedError(
                f"The function {name} does not run in this local ring, so it cannot be called: "
                "the ring runs the functions of its own hops alone.",
                "ResourceNotFoundException",
                404,
            )
        raise RefusedError(
            f"A local ring does not change functions while it runs, and {asked.method} "
            f"{asked.path} would. {_CHANGE_SETTINGS}"
        )


def _check_events(target: str) -> None:
    """Refuse what would change a rule: the heartbeats go on as they were deployed."""
    operation = target.removeprefix(_EVENTS)
    if target.startswith(_EVENTS) and not _HARMLESS.match(operation):
        raise RefusedError(
            f"A local ring does nothing upon {operation} of EventBridge: its heartbeats are as the "
            f"settings say. {_CHANGE_SETTINGS}"
        )


def _check_update(asked: Request) -> None:
    if asked.target != _UPDATE_TABLE:
        return
    try:
        request = json.loads(asked.body)
    except ValueError:
        return  # which moto will say
    others = sorted(set(request) - _MOTO_UPDATES) if isinstance(request, dict) else []
    if others:
        raise RefusedError(
            f"A local table cannot change its {', '.join(others)}: nothing here acts upon that. "
            "Leave it out."
        )


def _refused(refusal: RefusedError, asked: Request) -> Response:
    """Shape an error as the service does: REST-JSON has its code in a header."""
    text = str(refusal)
    if asked.target:
        return Response(
            400,
            {"Content-Type": "application/x-amz-json-1.0"},
            {"__type": f"com.amazonaws#{refusal.json_code}", "message": text},
        )
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": refusal.code}
    return Response(refusal.status, headers, {"Type": "User", "Message": text, "message": text})
