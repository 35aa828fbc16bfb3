"""The part of a stack that works on segments, driven down every path of its function."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

from local.cloud.cloud import Cloud
from local.cloud.existing_tables import provider_arguments
from local.cloud.program import Deployment
from local.cloud.state import Resource
from operate.distributed import worker
from operate.reconcile.fingerprints import key_text
from ring.settings.members import members_of
from ring.settings.settings import Settings
from tests.permissions.being import being
from tests.permissions.calls import Ear
from tests.permissions.services import Mapped


class Part:
    """A stack's function for segments, in this process, over its members' tables in moto."""

    def __init__(self, deployment: Deployment, settings: Settings, cloud: Cloud) -> None:
        self._outputs: Mapping[str, Any] = deployment.outputs["distributed"]
        self._deployment = deployment
        (self._function,) = self._of("lambda/function:Function", "function")
        self._machine, *_ = self._of("sfn/stateMachine:StateMachine", "machine")
        table = settings.table
        self._keys = [table.partition_key, *([table.sort_key] if table.sort_key else [])]
        self._buried = settings.tombstones.enabled
        self._members = members_of(settings)
        self._clients = [
            cloud.location(provider_arguments(one)).clients.dynamodb(one.region)
            for one in self._members
        ]

    def _of(self, kind: str, name: str) -> list[Resource]:
        found = self._deployment.of(f"aws:{kind}")
        return [one for one in found if one.outputs["arn"] == self._outputs[name]]

    def served(self) -> Mapped:
        """What Step Functions and Lambda are given."""
        (group,) = [
            one
            for one in self._deployment.of("aws:cloudwatch/logGroup:LogGroup")
            if one.name == self._function.name
        ]
        return Mapped(
            machine=self._outputs["machine"],
            machine_role=self._machine.outputs["roleArn"],
            function=self._outputs["function"],
            role=self._function.outputs["role"],
            log_group=group.outputs["arn"],
            parts=f"arn:{group.outputs['arn'].split(':')[1]}:s3:::{self._outputs['bucket']}/run.json",
        )

    def drive(self, endpoint: str, ear: Ear) -> None:
        """Check all tables, in which members differ, and fill all members if that is allowed."""
        for member, client in zip(self._members, self._clients, strict=True):
            text = {"S": f"only at {member.name}"}
            item: Any = {key.name: text for key in self._keys}
            client.put_item(TableName=member.table, Item=item)
        with being(self._function, endpoint, ear), ear.opened():
            for event in self._events():
                assert worker.handle(event, self._context(900_000))["over"]
        # As if the first call had ended in the middle: the next one looks where that was.
        self._end_early("run/0-0-0.jsonl")
        again = {**next(self._events()), "state": {"turn": 1, "read": 1}}
        with being(self._function, endpoint, ear), ear.opened():
            assert worker.handle(again, self._context(900_000))["over"]

    def _end_early(self, name: str) -> None:
        place = self._function.location
        client: Any = place.clients.s3(place.region)
        bucket = {"Bucket": self._outputs["bucket"], "Key": name}
        about, *lines = client.get_object(**bucket)["Body"].read().splitlines(keepends=True)
        names = [key.name for key in self._keys]
        position = key_text({name: {"S": "a"} for name in names}, names)
        head = json.dumps({**json.loads(about), "position": position}) + "\n"
        client.put_object(**bucket, Body=b"".join([head.encode(), *lines]))

    def _context(self, left: int) -> Any:
        return SimpleNamespace(
            get_remaining_time_in_millis=lambda: left,
            invoked_function_arn=self._outputs["function"],
        )

    def _events(self) -> Iterator[dict[str, Any]]:
        count = len(self._members)
        for source in range(0, 2 * count, 1 if self._buried else 2):
            yield self._event("check", {"settle": 0, "tombstones": self._buried}, source)
        if self._outputs["writes"]:
            for route in (*pairwise(range(count)), (count - 1, 0)):
                yield self._event("backfill", {"route": route}, 0)

    def _event(self, work: str, how: Mapping[str, Any], source: int) -> dict[str, Any]:
        return {
            "work": work,
            "how": how,
            "members": [self._member(at) for at in range(len(self._members))],
            "part": {"source": source, "number": 0, "of": 1},
            "bucket": self._outputs["bucket"],
            "run": "run",
        }

    def _member(self, at: int) -> dict[str, Any]:
        member = self._members[at]
        return {
            "name": member.name,
            "region": member.region,
            "replica": member.id,
            "next": [self._members[(at + 1) % len(self._members)].id],
            "table": member.table,
            "tombstones": member.tombstones if self._buried else None,
            "retention": 7 * 24 * 60 * 60,
            "keys": [key.name for key in self._keys],
            "types": [key.type for key in self._keys],
            "expires": None,
            "role": self._outputs["readers"].get(member.name),
        }
