"""The description of a running local ring at its endpoint, for `automate.py ... --local`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from local import control_client
from local.control_client import NoRingError
from ring.settings.members import members_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from local.cloud.program import Deployment
    from local.running_ring import LocalMember
    from ring.settings.settings import Settings

__all__ = ["PATH", "NoRingError", "document", "fetch"]

PATH = "/_dynamodb-ring"
"""Path of the description. No bucket name begins like this, and no other AWS request has it."""

_FUNCTION = "aws:lambda/function:Function"


def document(
    members: Iterable[LocalMember],
    deployment: Deployment,
    streams: Mapping[str, str],
    settings: Settings,
) -> bytes:
    """Return the stack's outputs as JSON, with more about each member.

    That is its account, its replica ID, and the retention of its tombstones in days (None without
    tombstones). `streams` maps adopted streams to the local ones (see
    `local.cloud.existing_tables`); a member that is only named has no stream. `held` are the names
    of the bypassed members.
    """
    environments = [
        function.outputs.get("environment", {}) for function in deployment.of(_FUNCTION)
    ]
    variables = [env["variables"] for env in environments if env.get("variables")]
    ids = {
        (env["RING_SOURCE_REGION"], env["RING_SOURCE_TABLE"]): env["RING_SOURCE_ID"]
        for env in variables
    }
    retention_days = next(
        (int(env["RING_RETENTION_DAYS"]) for env in variables if "RING_RETENTION_DAYS" in env), None
    )
    accounts = {member.name: member.account for member in members}
    described_members = [
        {
            **member,
            "stream_arn": streams.get(arn := member.get("stream_arn"), arn),
            "account": accounts[member["name"]],
            "replica": ids.get((member["region"], member["table"])),
            "retention_days": retention_days,
        }
        for member in deployment.outputs["members"]
    ]
    outputs = {name: deployment.outputs.get(name) for name in ("hops", "distributed")}
    outputs["members"] = described_members
    outputs["held"] = [member.name for member in members_of(settings) if member.state == "bypassed"]
    return json.dumps(outputs).encode()


def fetch(endpoint: str) -> dict[str, Any]:
    """Fetch the description of a local ring. Raises `NoRingError`."""
    description: dict[str, Any] = control_client.request(endpoint, "GET", PATH)
    return description
