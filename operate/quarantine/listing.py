"""Find the quarantined entries of a ring, by what is deployed."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from handler.config import HopConfigError
from operate.aws.answers import ensure_answering
from operate.aws.clients import ClientPool
from operate.aws.errors import translate_aws_errors
from operate.deployed import Deployed, DeployedHop, DeployedMember
from operate.errors import OperationFailedError
from operate.hop_settings import settings_of
from operate.quarantine.bucket import Entry, NoSuchEntryError
from operate.quarantine.redrive import HopAccess
from operate.rings import DeployedRing, command_for


@dataclass(frozen=True)
class QuarantinedEntry:
    """An entry of a quarantine, and the hop that redrives it."""

    entry: Entry
    access: QuarantineAccess

    @property
    def address(self) -> str:
        """The object's address for `aws s3`, quoted for a shell."""
        return shlex.quote(f"s3://{self.access.reach.settings.quarantine}/{self.entry.id}")

    def discard(self) -> None:
        """Delete the entry for good. Raises `OperateError`."""
        with translate_aws_errors(f"the quarantine {self.access.reach.settings.quarantine}"):
            self.access.reach.bucket.remove(self.entry.id)


@dataclass(frozen=True)
class QuarantineAccess:
    """A hop of the ring, known by its function's ARN, and how both its ends are reached."""

    function: str
    reach: HopAccess = field(compare=False)
    ask_target: Callable[[], object] = field(compare=False)
    """Raises `OperateError` if the hop's target does not answer within seconds."""

    def has_quarantined(self, entry: Entry) -> bool:
        """Return whether this hop quarantined the entry, as far as the entry says so."""
        if entry.is_lambda_failure and entry.records:
            function = str(entry.document["requestContext"].get("functionArn"))
            return function == self.function or function.startswith(f"{self.function}:")
        return entry.hop == self.reach.settings.name

    def entries(self, ids: Iterable[str]) -> Iterator[Entry]:
        """Yield the entries with these IDs, in that order. Raises `OperateError`."""
        with translate_aws_errors(f"the quarantine {self.reach.settings.quarantine}"):
            yield from (self.with_hop_name(entry) for entry in self.reach.bucket.read(ids))

    def with_hop_name(self, entry: Entry) -> Entry:
        """Return an entry with the hop's name: Lambda says which function, not which hop."""
        return replace(entry, hop=self.reach.settings.name) if entry.is_lambda_failure else entry


class RingQuarantine:
    """The quarantines of a ring's hops. All methods raise `OperateError`.

    A bucket is a member's: hops that start at the same member share it, and it outlives them. What
    a removed hop has quarantined is redriven by the first hop that starts there now: its changes
    go to the next member, which that may be.
    """

    def __init__(
        self,
        deployed: Deployed,
        clients: ClientPool,
        command: Callable[[str], str] = "`automate.py {}`".format,
    ) -> None:
        members = {member.name: member for member in deployed.members}
        self._buckets: dict[str, list[QuarantineAccess]] = {}
        for hop in deployed.hops:
            access = _access(hop, members, clients, command)
            self._buckets.setdefault(access.reach.settings.quarantine, []).append(access)

    @classmethod
    def of(cls, ring: DeployedRing) -> Self:
        """Return the quarantines of a ring."""
        return cls(ring.deployed(), ring.clients(), command_for(ring))

    def entries(self) -> Iterator[QuarantinedEntry]:
        """Yield all quarantined entries, in ring order."""
        for hops in self._buckets.values():
            with translate_aws_errors(f"the quarantine {hops[0].reach.settings.quarantine}"):
                for entry in hops[0].reach.bucket.entries():
                    yield _quarantined_entry(entry, hops)

    def count(self) -> int:
        """Return the number of entries, by their names alone."""
        total = 0
        for hops in self._buckets.values():
            with translate_aws_errors(f"the quarantine {hops[0].reach.settings.quarantine}"):
                total += sum(1 for _ in hops[0].reach.bucket.names())
        return total

    def find(self, name: str) -> QuarantinedEntry | None:
        """Return the entry with an ID; None if there is none (any more)."""
        for hops in self._buckets.values():
            with translate_aws_errors(f"the quarantine {hops[0].reach.settings.quarantine}"):
                try:
                    return _quarantined_entry(hops[0].reach.bucket.entry(name), hops)
                except NoSuchEntryError:
                    continue
        return None


def _access(
    hop: DeployedHop,
    members: Mapping[str, DeployedMember],
    clients: ClientPool,
    command: Callable[[str], str],
) -> QuarantineAccess:
    name = hop.title
    if hop.function is None:
        raise OperationFailedError(f"{name} was not deployed completely: run `up` again.")
    source, target = members[hop.source], members[hop.target]
    ensure_answering(source, clients, command)
    with translate_aws_errors(name):
        here, s3, functions = (
            clients.get(source.credentials, source.region, service)
            for service in ("dynamodb", "s3", "lambda")
        )
        there = clients.get(target.credentials, target.region, "dynamodb")
        try:
            settings = settings_of(functions, hop.function)
        except HopConfigError as error:
            raise OperationFailedError(f"{name}: {error}") from error
    reach = HopAccess(settings, s3, here, there)
    return QuarantineAccess(hop.function, reach, lambda: ensure_answering(target, clients, command))


def _quarantined_entry(entry: Entry, hops: Sequence[QuarantineAccess]) -> QuarantinedEntry:
    access = next((hop for hop in hops if hop.has_quarantined(entry)), hops[0])
    return QuarantinedEntry(access.with_hop_name(entry), access)
