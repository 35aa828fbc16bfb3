"""Delete all that a ring has quarantined, before the ring itself is deleted."""

from __future__ import annotations

from collections.abc import Callable

from operate.aws.clients import ClientPool
from operate.aws.errors import translate_aws_errors
from operate.deployed import Deployed, DeployedMember
from operate.errors import OperateError
from operate.quarantine.bucket import QuarantineBucket


def empty_quarantines(
    deployed: Deployed, clients: ClientPool, on_error: Callable[[str], object]
) -> int:
    """Delete the quarantined records of a ring, and return their number.

    The buckets are those that the hops' components name: where `destroy` broke off, the functions,
    whose settings name them too, may be gone. `on_error` is called for each bucket that could not
    be emptied; the others are.
    """
    members = {member.name: member for member in deployed.members}
    buckets = {hop.quarantine: members[hop.source] for hop in deployed.hops if hop.quarantine}
    number = 0
    for bucket, member in buckets.items():
        try:
            with translate_aws_errors(f"the quarantine {bucket}"):
                number += _empty(bucket, member, clients)
        except OperateError as error:
            on_error(str(error))
    return number


def _empty(name: str, member: DeployedMember, clients: ClientPool) -> int:
    s3 = clients.get(member.credentials, member.region, "s3")
    bucket = QuarantineBucket(s3, name, "", member.table, member.account)
    names = list(bucket.names())
    for one in names:
        bucket.remove(one)
    return len(names)
