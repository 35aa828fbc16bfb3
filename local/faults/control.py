"""The faults of a running ring as JSON at its endpoint, for `automate.py fault`."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from local.faults.fault import ActiveFault, FaultError, FaultRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from local.faults.active import ActiveFaults

PATH = "/_dynamodb-ring/faults"
"""GET lists the active faults, POST starts one, DELETE ends all, or with `/ID` that one."""


class FaultRequests:
    """Handle requests for the faults of a ring."""

    def __init__(self, faults: ActiveFaults) -> None:
        self._faults = faults

    def answer(self, method: str, rest: str, body: bytes) -> tuple[int, Any]:
        """Return status and document of the response. `rest` is the path after `PATH`."""
        try:
            match method:
                case "GET":
                    return 200, _document(self._faults.list())
                case "POST":
                    request = FaultRequest.from_document(_json(body))
                    return 201, self._faults.start(request).document(time.time())
                case "DELETE":
                    return 200, _document(self._faults.clear(rest.strip("/") or None))
        except FaultError as error:
            return 400, {"error": str(error)}
        return 405, {"error": f"{method} is not possible here. Use GET, POST or DELETE."}


def _document(faults: Iterable[ActiveFault]) -> dict[str, Any]:
    now = time.time()
    return {"faults": [fault.document(now) for fault in faults]}


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        raise FaultError(f"The request is no JSON: {error}") from error
