"""The settings of a running ring as JSON at its endpoint, for commands that change them."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from local.cloud.program import DeployError
from local.in_place import NotChangedError
from ring.settings.settings import SettingsError

if TYPE_CHECKING:
    from local.ring import LocalRing


class SettingsRequests:
    """Handle requests for the settings of a running ring."""

    def __init__(self, ring: LocalRing) -> None:
        self._ring = ring
        self._lock = threading.Lock()  # from the comparison of revisions to the end of a change

    def answer(self, method: str, _: str, body: bytes) -> tuple[int, Any]:
        """Return status and document of the response.

        A POST has `settings`, the `revision` that they were made from, and perhaps `dry_run`.
        """
        try:
            match method:
                case "GET":
                    return 200, self._document()
                case "POST":
                    return self._post(json.loads(body))
        except (SettingsError, NotChangedError, json.JSONDecodeError) as error:
            return 400, {"error": str(error)}
        except DeployError as error:
            return 500, {"error": str(error)}
        return 405, {"error": f"{method} is not possible here. Use GET or POST."}

    def _document(self) -> dict[str, Any]:
        return {
            "stack": self._ring.stack.name,
            "revision": self._ring.revision,
            "settings": json.loads(json.dumps(self._ring.stack.settings, default=str)),
        }

    def _post(self, request: Any) -> tuple[int, Any]:
        fields = request if isinstance(request, dict) else {}
        if not isinstance(fields.get("settings"), dict):
            return 400, {"error": 'A change needs "settings", by sections.'}
        with self._lock:
            if fields.get("revision") != self._ring.revision:
                return 409, {"error": "The settings were changed meanwhile. Run the command again."}
            if fields.get("dry_run"):
                return 200, self._ring.plan(fields["settings"]).document()
            changed = self._ring.change(fields["settings"]).document()
            return 200, {**changed, **self._document()}
