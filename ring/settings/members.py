"""Members of a ring, from the entries of `members`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ring.arn import Arn, partition_of, table_of_stream
from ring.settings.errors import did_you_mean
from ring.settings.types import TOMBSTONES, MemberState

if TYPE_CHECKING:
    from ring.settings.sections import MemberSettings, SecretSettings
    from ring.settings.settings import Settings


_MAX_LENGTH = 40  # of a name's 64 characters; the rest is for the ring's name and Pulumi's suffix


@dataclass(frozen=True)
class Member:
    """A member: a table in a region. `account` is None if the settings do not say it."""

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
        """The replica ID in versions."""
        return replica_id(self.region, self.table, self.account)

    @property
    def partition(self) -> str:
        """Its partition. A role cannot be assumed across partitions."""
        return partition_of(self.region)

    @property
    def tombstones(self) -> str:
        """The name of its tombstone table."""
        return self.table + TOMBSTONES

    @property
    def account_id(self) -> str | None:
        """The account that it must be in: `account`, or else that of its stream."""
        if self.account or not self.stream_arn:
            return self.account
        return Arn.parse(self.stream_arn).account

    @property
    def credentials(self) -> tuple[str | None, ...]:
        """The credentials that deploy it; members with the same ones share a role."""
        return (self.profile, self.role, self.external_id, self.account)

    @property
    def resource_name(self) -> str:
        """Its name, valid in names of functions and roles; unique in the ring."""
        if re.fullmatch(rf"[A-Za-z0-9_-]{{1,{_MAX_LENGTH}}}", self.name):
            return self.name
        prefix = re.sub("[^A-Za-z0-9_-]", "-", self.name)[: _MAX_LENGTH - 9]
        return f"{prefix}-{self.id}"


class NoSuchMemberError(LookupError):
    """A word names no member, or more than one. Has a `reason` and a `remedy`."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason}. {remedy}")
        self.reason = reason
        self.remedy = remedy


def replica_id(region: str, table: str, account: str | None = None) -> str:
    """Return a replica ID: 8 hex digits.

    It depends on region, table and account alone: a member keeps it when others join or leave.
    """
    return short_digest("/".join((region, table, account) if account else (region, table)))


def short_digest(text: str) -> str:
    """Return a digest of 8 hex digits."""
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


def member_of(entry: MemberSettings, default_table: str) -> Member:
    """Return the member that an entry of the settings describes."""
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
    """Return all members, in ring order."""
    return tuple(member_of(entry, settings.table.name) for entry in settings.members)


def targets_of(members: Sequence[Member], index: int) -> Iterator[Member]:
    """Yield the members that the member at `index` has a hop to, nearest first."""
    for member in (*members[index + 1 :], *members[:index]):
        if member.state != "bypassed":
            yield member
        if member.state == "in":
            return


def find_member(members: Sequence[Member], word: str) -> Member:
    """Return the member of this name, or the only one of this region or `region/table`.

    NoSuchMemberError if there is none, or more than one.
    """
    named = [member for member in members if member.name == word]
    found = named or [m for m in members if word in (m.region, f"{m.region}/{m.table}")]
    if len(found) == 1:
        return found[0]
    if found:
        names = " or ".join(f"`{member.name}`" for member in found)
        raise NoSuchMemberError(f"{len(found)} members are in {word}", f"Write {names}.")
    known = [member.name for member in members]
    raise no_such_member(word, known)


def no_such_member(word: str, known: Iterable[str]) -> NoSuchMemberError:
    """Return the error for a word that is none of the known names of members."""
    return NoSuchMemberError("no member has this name", did_you_mean(word, known, among="Members"))
