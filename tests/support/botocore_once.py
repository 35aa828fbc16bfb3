"""What botocore does again for each session and each client is done once for all tests.

Tests make some thousand clients. Nothing that is shared here changes once it is made.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import botocore.regions
import botocore.session
from botocore.endpoint_provider import EndpointProvider
from botocore.hooks import EventAliaser

_rules: dict[int, tuple[Any, EndpointProvider]] = {}
"""By the identity of what was parsed, which is kept so that no other gets its identity."""
_names: dict[str, str] = {}
_alias: Any = vars(EventAliaser)["_alias_event_name"]


def do_once() -> None:
    """Share service models, rules of endpoints and names of events between all clients."""
    for module, name, shared in (
        (botocore.session, "create_loader", cache(botocore.session.create_loader)),
        (botocore.regions, "EndpointProvider", _endpoint_provider),
        (EventAliaser, "_alias_event_name", _name),
    ):
        setattr(module, name, shared)


def _endpoint_provider(ruleset_data: Any, *args: Any, **named: Any) -> EndpointProvider:
    if id(ruleset_data) not in _rules:
        _rules[id(ruleset_data)] = ruleset_data, EndpointProvider(ruleset_data, *args, **named)
    return _rules[id(ruleset_data)][1]


def _name(aliaser: EventAliaser, event_name: str) -> str:
    if event_name not in _names:
        _names[event_name] = _alias(aliaser, event_name)
    return _names[event_name]
