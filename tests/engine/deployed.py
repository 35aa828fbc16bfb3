"""The engine's state as a deployment, which a ring can be run from."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import pulumi

from local.cloud.cloud import PROVIDER, Cloud
from local.cloud.program import Deployment
from local.cloud.resources import RESOURCE_TYPES, Location
from local.cloud.resources.archive import zip_archive
from local.cloud.state import Resource
from operate.held_state import held_members
from ring.resources.lambda_archive import lambda_archive

_STACK = "pulumi:pulumi:Stack"
_FUNCTION = "aws:lambda/function:Function"
_PACKED = {
    "handler.app.handle": ("handler",),
    "operate.distributed.worker.handle": ("handler", "operate.distributed.worker"),
}


def deployment_of(state: Iterable[Mapping[str, Any]], cloud: Cloud) -> Deployment:
    """Return the resources of a state that are there, as AWS has them, and what it exports.

    What it holds of bypassed members is there as well.

    https://www.pulumi.com/docs/iac/concepts/state-and-backends/
    """
    state = list(state)
    state += [one for kept in held_members(state) for one in kept.resources]
    places = {
        f"{one['urn']}::{one['id']}": cloud.location(one["inputs"])
        for one in state
        if one["type"] == PROVIDER
    }
    found = []
    for one in state:
        if one["type"] not in RESOURCE_TYPES or one.get("delete"):
            continue
        name = one["urn"].rpartition("::")[2]
        place = places[one["provider"]]
        seen = cloud.read(one["type"], name, one["id"], place) or {}
        outputs = {**one["outputs"], **seen}
        if one["type"] == _FUNCTION:
            outputs["code"] = _code(one["id"], place, _PACKED[outputs["handler"]])
        found.append(Resource(one["type"], name, one["id"], outputs, place))
    (exports,) = [one.get("outputs", {}) for one in state if one["type"] == _STACK] or [{}]
    return Deployment(exports, tuple(found))


def _code(function: str, place: Location, packed: Iterable[str]) -> pulumi.AssetArchive:
    """Return the code of a function, having seen by its checksum that it is what the program packs.

    moto does not hand it out, and a refresh leaves the engine's state with nothing but its hash.
    """
    code = lambda_archive(*packed)
    client = place.clients.functions(place.region)
    digest = client.get_function(FunctionName=function)["Configuration"]["CodeSha256"]
    assert digest == base64.b64encode(hashlib.sha256(zip_archive(code)).digest()).decode()
    return code
