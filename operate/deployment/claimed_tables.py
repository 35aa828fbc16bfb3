"""Tables that another stack has deployed already."""

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
"""Tells the account that a member will be in; None if that cannot be known."""


def new_tables(deployed: Deployed, settings: Settings) -> list[tuple[int, Member]]:
    """The members, by their places, that this stack is to deploy and has not."""
    have = {(one.region, one.table) for one in deployed.members if not one.named_only}
    ours = {hop.source for hop in deployed_hops(settings)}
    return [
        (at, member)
        for at, member in enumerate(members_of(settings))
        if member in ours and (member.region, member.table) not in have
    ]


def accounts(clients: ClientPool) -> AccountOf:
    """Ask which account a member's credentials lead into."""

    def account_of(member: Member) -> str | None:
        credentials = Credentials(member.profile, member.role, member.external_id)
        try:
            told: Any = clients.get(credentials, member.region, "sts").get_caller_identity()
        except (ClientError, BotoCoreError):
            return None  # the engine will say why
        return str(told["Account"])

    return account_of


def ensure_unclaimed(
    states: Mapping[str, Mapping[str, Any]],
    deployed: Deployed,
    settings: Settings,
    account_of: AccountOf,
) -> None:
    """Raise `InvalidRequestError` if tables that are new here are another stack's.

    `states` are the other stacks' by their names, as `pulumi stack export` prints them.

    One stack's tables are another's only in one account: where that is not known, nothing is said.
    """
    others = {name: Deployed.read(state) for name, state in states.items()}
    mistakes = list(_claimed(others, deployed, settings, account_of))
    if mistakes:
        raise InvalidRequestError(str(SettingsError(mistakes)), mistakes)


def _claimed(
    others: Mapping[str, Deployed], deployed: Deployed, settings: Settings, account_of: AccountOf
) -> Iterator[SettingProblem]:
    for at, member in new_tables(deployed, settings):
        names = tables_of(member, tombstones=settings.tombstones.enabled)
        for stack, there in others.items():
            for other in there.members:
                taken = next((name for name in names if name in _tables(other)), None)
                if not taken or other.named_only or other.region != member.region:
                    continue
                if other.account and other.account == (member.account_id or account_of(member)):
                    yield SettingProblem(
                        f"members[{at}]",
                        f"{member.region}/{taken}",
                        f"the stack {stack} has deployed it, in account {other.account}, as a "
                        f"table of its member {other.name}; two rings over one table take each "
                        "other's copies for an application's writes",
                        f"Give this ring another table, or `destroy` {stack} first: its table "
                        "stays (`table.deletion_protection`), and is adopted by its `stream_arn`.",
                    )


def _tables(member: DeployedMember) -> tuple[str | None, ...]:
    return (member.table, member.tombstones)
