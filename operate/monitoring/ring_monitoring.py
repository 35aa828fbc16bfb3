"""Status and lag of a ring, as functions of the ring."""

from __future__ import annotations

from operate.monitoring import lag, status
from operate.monitoring.lag import HopLag
from operate.monitoring.status import Status
from operate.rings import DeployedRing, command_for


def ring_status(ring: DeployedRing) -> Status:
    """Return the state of each member and hop, with the problems in `problems`.

    Raises `OperateError` if the state or AWS cannot be read at all.
    """
    return status.status(
        ring.deployed(), ring.clients(), is_local=ring.is_local, command=command_for(ring)
    )


def ring_lag(ring: DeployedRing, minutes: int = 15) -> tuple[HopLag, ...]:
    """Return the replication lag of each hop in the last `minutes` (up to 1,440), in ring order.

    Raises `OperateError`.
    """
    return lag.lag(ring.deployed(), ring.clients(), minutes)
