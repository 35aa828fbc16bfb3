"""Members of a ring, as an entry of the settings describes them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ring.arn import Arn, partition_of, table_of_stream
from ring.settings.errors import did_you_mean
from ring.settings.types import TOMBSTONES, MemberState

if TYPE_CHECKING:
    from ring.settings.sections import MemberSettings, SecretSettings
    from ring.settings.settings import Settings


_SHORT = 40  # of 64 characters, which the ring's name and Pulumi's suffix share


@dataclass(frozen=True)
class Member:
    """A table in a region, as the ring knows it. What `account` says is None if nothing said it."""

    name: str
    region: str
    table: str
    account: str | None = None
    stream_arn: str | None = None
    profile: str | None = None
    role: str | None = None
    external_id: str | None = None
    kms_key: str | None = None
    writer_secret: SecretSettings | None = None
    state: MemberState = "in"
    paused: bool = False

    @property
    def id(self) -> str:
        """The replica id that stands in versions."""
        return replica_id(self.region, self.table, self.account)

    @property
    def partition(self) -> str:
        """The partition that it lies in. No role of one partition can be taken in another."""
        return partition_of(self.region)

    @property
    def tombstones(self) -> str:
        """The name of its tombstone table."""
        return self.table + TOMBSTONES

    @property
    def account_id(self) -> str | None:
        """The account that it must be in: the one told, or else its stream's."""
        if self.account or not self.stream_arn:
            return self.account
        return Arn.parse(self.stream_arn).account

    @property
    def credentials(self) -> tuple[str | None, ...]:
        """What decides who deploys it; members that agree in it share a role."""
        return (self.profile, self.role, self.external_id, self.account)

    @property
    def resource_name(self) -> str:
        """Its name, made fit for the names of functions and roles; unique in the ring."""
        if re.fullmatch(rf"[A-Za-z0-9_-]{{1,{_SHORT}}}", self.name):
            return self.name
        start = re.sub("[^A-Za-z0-9_-]", "-", self.name)[: _SHORT - 9]
        return f"{start}-{self.id}"


class NoSuchMemberError(LookupError):
    """A text names no member, or more than one; `reason` and `remedy` say which and what to do."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason}. {remedy}")
        self.reason = reason
        self.remedy = remedy


def replica_id(region: str, table: str, account: str | None = None) -> str:
    """8 hex digits that stand for a replica in versions.

    They depend on the place alone: a member keeps its id when others join or leave.
    """
    place = "/".join((region, table, account) if account else (region, table))
    return short_digest(place)


def short_digest(text: str) -> str:
    """8 hex digits that stand for a text."""
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


def member_of(entry: MemberSettings, default_table: str) -> Member:
    """The member that an entry of the settings describes."""
    table = entry.table or default_table
    if entry.stream_arn and not entry.table:
        table = table_of_stream(entry.stream_arn)
    return Member(
        name=entry.name or (entry.region if table == default_table else f"{entry.region}-{table}"),
        region=entry.region,
        table=table,
        account=entry.account,
        stream_arn=entry.stream_arn,
        profile=entry.profile,
        role=entry.role,
        external_id=entry.external_id,
        kms_key=entry.kms_key,
        writer_secret=entry.writer_secret,
        state=entry.state,
        paused=entry.paused,
    )


def members_of(settings: Settings) -> tuple[Member, ...]:
    """All members, in ring order."""
    return tuple(member_of(entry, settings.table.name) for entry in settings.members)


def targets_of(members: Sequence[Member], at: int) -> Iterator[Member]:
    """The members that the one at this place hops to, nearest first."""
    for member in (*members[at + 1 :], *members[:at]):
        if member.state != "bypassed":
            yield member
        if member.state == "in":
            return


def find_member(members: Sequence[Member], word: str) -> Member:
    """The member of this name, or the only one of this region, or of this `region/table`.

    NoSuchMemberError if there is none, or more than one.
    """
    named = [member for member in members if member.name == word]
    there = named or [one for one in members if word in (one.region, f"{one.region}/{one.table}")]
    if len(there) == 1:
        return there[0]
    if there:
        names = " or ".join(f"`{member.name}`" for member in there)
        raise NoSuchMemberError(f"{len(there)} members are in {word}", f"Write {names}.")
    known = [member.name for member in members]
    raise NoSuchMemberError("no member has this name", did_you_mean(word, known, among="Members"))
