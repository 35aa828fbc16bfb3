"""What a local ring tells of itself at its endpoint, for those who operate on it."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from local.cloud.program import Deployment
    from local.running_ring import LocalMember

PATH = "/_dynamodb-ring"
"""Where it is told. No bucket's name begins so, and nothing else of AWS is asked by path."""

_FUNCTION = "aws:lambda/function:Function"


class NoRingError(Exception):
    """There is no local ring at an endpoint. Says why, and what to do."""


def page(
    members: Iterable[LocalMember], deployment: Deployment, streams: Mapping[str, str]
) -> bytes:
    """Return what is told: the stack's outputs, and of each member its account and replica id.

    And for how many days its tombstones are kept; None: it has none. An adopted stream is told as
    it is here: `streams` are those of `local.cloud.existing_tables`. One that is only named has no
    stream.
    """
    environments = [one.outputs.get("environment", {}) for one in deployment.of(_FUNCTION)]
    variables = [one["variables"] for one in environments if one.get("variables")]
    ids = {
        (told["RING_SOURCE_REGION"], told["RING_SOURCE_TABLE"]): told["RING_SOURCE_ID"]
        for told in variables
    }
    kept = next(
        (told["RING_RETENTION_DAYS"] for told in variables if "RING_RETENTION_DAYS" in told), None
    )
    accounts = {member.name: member.account for member in members}
    told_members = [
        {
            **member,
            "stream_arn": streams.get(arn := member.get("stream_arn"), arn),
            "account": accounts[member["name"]],
            "replica": ids.get((member["region"], member["table"])),
            "retention_days": None if kept is None else int(kept),
        }
        for member in deployment.outputs["members"]
    ]
    told = {name: deployment.outputs.get(name) for name in ("hops", "distributed")}
    told["members"] = told_members
    return json.dumps(told).encode()


def ask(endpoint: str) -> dict[str, Any]:
    """Ask a local ring for what it tells. Raises `NoRingError`."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(endpoint.rstrip("/") + PATH, timeout=10) as answer:
            told: dict[str, Any] = json.loads(answer.read())
    except (OSError, ValueError) as error:
        raise NoRingError(
            f"There is no local ring at {endpoint}: {error}. Start one (`automate.py local`), and "
            "give the URL that it prints."
        ) from error
    return told
