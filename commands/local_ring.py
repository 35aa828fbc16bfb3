"""A ring that `automate.py local` runs on this machine, as operations take a stack's."""

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
    """The ring at an endpoint, as `operate.rings.Running` says."""

    def __init__(self, endpoint: str) -> None:
        self.label = self.name = endpoint

    def expect_ready(self) -> None:
        """See `operate.rings.Running`: nothing is needed but the ring."""

    def deployed(self) -> Deployed:
        """What the ring tells of itself. OperationFailedError if there is none."""
        try:
            told = ring_info.ask(self.name)
        except ring_info.NoRingError as error:
            raise OperationFailedError(str(error)) from error
        return Deployed(
            tuple(_member(one) for one in told["members"]),
            tuple(DeployedHop(**{name: one[name] for name in _HOP}) for one in told["hops"]),
            DeployedDistributed.from_outputs(told["distributed"])
            if told.get("distributed")
            else None,
        )

    def clients(self) -> ClientPool:
        """Clients that reach the endpoint and nothing else."""
        return _LocalClients(self.name)

    def cancel(self) -> None:
        """See `operate.rings.DeployedRing`: each operation ends by its own `Stop`."""


def _member(told: dict[str, Any]) -> DeployedMember:
    account = told["account"]
    # There any role can be taken, and leads into its account.
    role = f"arn:aws:iam::{account}:role/local-ring" if account != HOME_ACCOUNT else None
    days = told["retention_days"]
    return DeployedMember(
        **{name: told[name] for name in _MEMBER},
        credentials=Credentials(role=role),
        retention_days=DeployedMember.retention_days if days is None else days,
    )


class _LocalClients(ClientPool):
    """As Clients, whatever the user's environment says."""

    def __init__(self, endpoint: str) -> None:
        super().__init__()
        self._accounts = Accounts(endpoint)

    def get(self, credentials: Credentials, region: str, service: str) -> Any:
        """See Clients."""
        account = Arn.parse(credentials.role).account if credentials.role else HOME_ACCOUNT
        return self._accounts.clients(account).client(service, region)
