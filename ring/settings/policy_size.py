"""Size of a role's inline policies, checked before deployment. Pure.

IAM allows 10,240 characters without whitespace for all inline policies of a role together:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence

from ring.arn import Arn, partition_of, table_arn
from ring.policies.distributed import segments_policy
from ring.policies.statements import Bucket, Document, TableAccess
from ring.settings.distributed import DistributedSettings, runner_member
from ring.settings.errors import SettingProblem
from ring.settings.members import Member, NoSuchMemberError, targets_of
from ring.settings.sections import TombstoneSettings

_MAX_POLICY_SIZE = 10_240
_NAME = "ring-segments"
_SUFFIX = "-0123456"
"""A suffix as long as the one that Pulumi adds to the names of roles and log groups."""


def check_policy_sizes(
    distributed: DistributedSettings,
    tombstones: TombstoneSettings,
    members: Sequence[Member],
    sources: Collection[Member] | None,
) -> Iterator[SettingProblem]:
    """Yield a problem if the policy of the function that processes segments is too large.

    `members` are all of the ring; `sources` those at which the stack's hops start, None if unknown.
    """
    if not distributed.enabled or not sources:
        return
    try:
        runner = runner_member(distributed, list(sources))
    except NoSuchMemberError:
        return  # check_distributed reports it
    size = _size(segments_policy_of(distributed, tombstones, members, sources, runner))
    if size > _MAX_POLICY_SIZE:
        yield SettingProblem(
            "distributed.enabled",
            True,
            f"the policy of its function's role would have {size:,} characters with "
            f"{len(members)} members; IAM allows {_MAX_POLICY_SIZE:,} in the policies of a role",
            "Remove it, and run the commands without --distributed; or use shorter table names, or "
            "fewer hops per stack (`hops`).",
        )


def segments_policy_of(
    distributed: DistributedSettings,
    tombstones: TombstoneSettings,
    members: Sequence[Member],
    sources: Collection[Member],
    runner: Member,
) -> Document:
    """Return the policy, with placeholders as long as the names that Pulumi generates."""
    reached = [
        member
        for member in members
        if member in sources
        or any(member in targets_of(members, members.index(source)) for source in sources)
    ]
    direct = [found for found in reached if found.credentials == runner.credentials]
    group = f"log-group:{_NAME}{_SUFFIX}"
    return segments_policy(
        direct=[_end(member, tombstones) for member in direct],
        roles=[_reader(member) for member in reached if member not in direct],
        log_group=str(Arn(runner.partition, "logs", runner.region, _account(runner), group)),
        results=Bucket(
            str(Arn(runner.partition, "s3", "", "", f"ring-results-{runner.id}-{'0' * 26}")),
            runner.region,
            _account(runner),
            runner.kms_key,
        ),
        writes=distributed.writes,
    )


def _size(document: Document) -> int:
    return len(json.dumps(document, separators=(",", ":")))


def _account(member: Member) -> str:
    return member.account_id or "0" * 12


def _end(member: Member, tombstones: TombstoneSettings) -> TableAccess:
    partition = partition_of(member.region)
    table, tombstone_table = (
        table_arn(partition, member.region, _account(member), name)
        for name in (member.table, member.tombstones)
    )
    return TableAccess(
        region=member.region,
        table=table,
        tombstones=tombstone_table if tombstones.enabled else None,
        kms_key=member.kms_key,
    )


def _reader(member: Member) -> str:
    role = f"role/{_NAME}-{member.id}{_SUFFIX}"
    return str(Arn(member.partition, "iam", "", _account(member), role))
