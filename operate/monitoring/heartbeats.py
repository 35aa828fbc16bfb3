"""When each member's last heartbeat was written, read from the item that it writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from handler.config import HopConfigError
from handler.heartbeat import HEARTBEAT_ATTRIBUTE
from operate.aws.clients import ClientPool
from operate.deployed import Deployed, DeployedMember
from operate.hop_settings import settings_of


class Heartbeats:
    """The heartbeats of a ring's members, with the credentials of each.

    A heartbeat is a read of one item: half a read unit. Its key is in the environment of the
    function that writes it, and is read once.
    """

    def __init__(self, deployed: Deployed, clients: ClientPool) -> None:
        self._deployed = deployed
        self._clients = clients
        self._keys: dict[str, Mapping[str, Any] | None] = {}

    def read(self) -> dict[str, float]:
        """Return the times in seconds since 1970, by member.

        A member that writes none, or whose item cannot be read, is left out.
        """
        members = {member.name: member for member in self._deployed.members}
        found = {}
        for hop in self._deployed.reachable_hops:
            member = members.get(hop.source)
            if member is None or hop.function is None:
                continue
            try:
                when = self._time(member, hop.function)
            except (ClientError, BotoCoreError, HopConfigError, ValueError):
                continue  # `status` says what is wrong with the member
            if when is not None:
                found[member.name] = when
        return found

    def _time(self, member: DeployedMember, function: str) -> float | None:
        key = self._key(member, function)
        if key is None:
            return None
        client = self._client(member, "dynamodb")
        item = client.get_item(
            TableName=member.table,
            Key=key,
            ProjectionExpression="#time",
            ExpressionAttributeNames={"#time": HEARTBEAT_ATTRIBUTE},
        ).get("Item", {})
        number = item.get(HEARTBEAT_ATTRIBUTE, {}).get("N")
        return None if number is None else float(number)

    def _key(self, member: DeployedMember, function: str) -> Mapping[str, Any] | None:
        if function not in self._keys:
            functions = self._client(member, "lambda")
            self._keys[function] = settings_of(functions, function).heartbeat
        return self._keys[function]

    def _client(self, member: DeployedMember, service: str) -> Any:
        return self._clients.get(member.credentials, member.region, service, brief=True)
