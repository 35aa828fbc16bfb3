"""Refuse tables that another stack has already deployed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from operate.aws.clients import ClientPool
from operate.deployed import Credentials, Deployed, DeployedMember
from operate.errors import InvalidRequestError
from ring.settings.errors import SettingProblem
from ring.settings.members import Member, members_of
from ring.settings.settings import Settings, SettingsError
from ring.settings.shared_tables import tables_of
from ring.topology import deployed_hops

AccountOf = Callable[[Member], str | None]
"""Returns the account that a member will be in; None if it is unknown."""


def new_tables(deployed: Deployed, settings: Settings) -> list[tuple[int, Member]]:
    """Return the members, with their indexes, that this stack is to deploy for the first time."""
    known = {(member.region, member.table) for member in deployed.members if not member.named_only}
    sources = {hop.source for hop in deployed_hops(settings)}
    return [
        (index, member)
        for index, member in enumerate(members_of(settings))
        if member in sources and (member.region, member.table) not in known
    ]


def accounts(clients: ClientPool) -> AccountOf:
    """Return a function that asks STS for the account of a member's credentials."""

    def account_of(member: Member) -> str | None:
        credentials = Credentials(member.profile, member.role, member.external_id)
        try:
            client = clients.get(credentials, member.region, "sts")
            identity: Any = client.get_caller_identity()
        except (ClientError, BotoCoreError):
            return None  # the engine reports it
        return str(identity["Account"])

    return account_of


def ensure_unclaimed(
    states: Mapping[str, Mapping[str, Any]],
    deployed: Deployed,
    settings: Settings,
    account_of: AccountOf,
) -> None:
    """Raise `InvalidRequestError` if a table that is new in this stack belongs to another one.

    `states` are the other stacks' states by name, as `pulumi stack export` prints them. Tables are
    only compared where both accounts are known.
    """
    others = {name: Deployed.read(state) for name, state in states.items()}
    problems = list(_claimed(others, deployed, settings, account_of))
    if problems:
        raise InvalidRequestError(str(SettingsError(problems)), problems)


def _claimed(
    others: Mapping[str, Deployed], deployed: Deployed, settings: Settings, account_of: AccountOf
) -> Iterator[SettingProblem]:
    for index, member in new_tables(deployed, settings):
        names = tables_of(member, tombstones=settings.tombstones.enabled)
        for stack, content in others.items():
            for other in content.members:
                taken = next((name for name in names if name in _tables(other)), None)
                if not taken or other.named_only or other.region != member.region:
                    continue
                if other.account and other.account == (member.account_id or account_of(member)):
                    yield SettingProblem(
                        f"members[{index}]",
                        f"{member.region}/{taken}",
                        f"the stack {stack} has deployed it, in account {other.account}, as a "
                        f"table of its member {other.name}; two rings over one table take each "
                        "other's copies for an application's writes",
                        f"Give this ring another table, or `destroy` {stack} first: its table "
                        "stays (`table.deletion_protection`), and is adopted by its `stream_arn`.",
                    )


def _tables(member: DeployedMember) -> tuple[str | None, ...]:
    return (member.table, member.tombstones)
