"""A ring that `automate.py local` runs on this machine, for operations on deployed rings."""

from __future__ import annotations

from typing import Any

from local import ring_info
from local.clients import HOME_ACCOUNT, Accounts
from operate.aws.clients import ClientPool
from operate.deployed import Credentials, Deployed, DeployedDistributed, DeployedHop, DeployedMember
from operate.errors import OperationFailedError
from ring.arn import Arn

_MEMBER = ("name", "region", "table", "account", "stream_arn", "tombstones", "replica")
_HOP = ("source", "target", "function", "mapping", "quarantine")


class RunningLocalRing:
    """The ring at an endpoint: an `operate.rings.DeployedRing`."""

    def __init__(self, endpoint: str) -> None:
        self.label = self.name = endpoint

    def expect_ready(self) -> None:
        """See `operate.rings.DeployedRing`. A local ring has no prerequisites."""

    def deployed(self) -> Deployed:
        """Return the ring's description of itself. Raises `OperationFailedError` if none runs."""
        try:
            info = ring_info.fetch(self.name)
        except ring_info.NoRingError as error:
            raise OperationFailedError(str(error)) from error
        return Deployed(
            tuple(_member(member) for member in info["members"]),
            tuple(DeployedHop(**{name: hop[name] for name in _HOP}) for hop in info["hops"]),
            DeployedDistributed.from_outputs(info["distributed"])
            if info.get("distributed")
            else None,
        )

    def clients(self) -> ClientPool:
        """Return clients of the endpoint."""
        return _LocalClients(self.name)

    def cancel(self) -> None:
        """See `operate.rings.DeployedRing`: each operation ends by its own `Stop`."""


def _member(info: dict[str, Any]) -> DeployedMember:
    account = info["account"]
    # A local ring accepts any role, and its ARN names the account.
    role = f"arn:aws:iam::{account}:role/local-ring" if account != HOME_ACCOUNT else None
    days = info["retention_days"]
    return DeployedMember(
        **{name: info[name] for name in _MEMBER},
        credentials=Credentials(role=role),
        retention_days=DeployedMember.retention_days if days is None else days,
    )


class _LocalClients(ClientPool):
    """Clients of a local ring, independent of the user's environment."""

    def __init__(self, endpoint: str) -> None:
        super().__init__()
        self._accounts = Accounts(endpoint)

    def get(self, credentials: Credentials, region: str, service: str) -> Any:
        """See `ClientPool`."""
        account = Arn.parse(credentials.role).account if credentials.role else HOME_ACCOUNT
        return self._accounts.clients(account).client(service, region)
