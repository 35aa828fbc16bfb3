"""Check that settings can be deployed over what is deployed."""

from __future__ import annotations

from pulumi.automation import Stack

from operate.aws.clients import ClientPool
from operate.deployed import Deployed
from operate.deployment.preflight.claimed_tables import accounts, ensure_unclaimed, new_tables
from operate.deployment.preflight.immutable_settings import ensure_unchanged
from operate.deployment.workspace import workspace_of
from ring.settings.settings import Settings


def ensure_deployable(
    stack: Stack, deployed: Deployed, settings: Settings, clients: ClientPool
) -> None:
    """Raise `InvalidRequestError` if the settings cannot be deployed over what is deployed."""
    if deployed.members:
        ensure_unchanged(deployed, settings)
    if new_tables(deployed, settings):
        others = workspace_of(stack).states_beside(stack.name)
        ensure_unclaimed(others, deployed, settings, accounts(clients))
