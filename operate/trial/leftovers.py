"""Look for what a destroyed ring has left: by names, by tags, and by what its state had.

Each kind of resource is listed in full, so what is found is there: the Resource Groups Tagging API
names deleted resources for a while. What it names of a kind that is not listed here counts as left.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from operate.aws.clients import ClientPool
from operate.aws.errors import CREDENTIAL_ERRORS
from operate.deployed import Credentials
from operate.errors import PrerequisiteError
from operate.trial.listing import IN_A_REGION, IN_AN_ACCOUNT, Found, listed, tagged
from operate.trial.plan import TAG, TrialPlan

_TAGGED_KINDS = {
    "dynamodb": "table",
    "lambda:function": "function",
    "lambda:event-source-mapping": "mapping",
    "logs": "log group",
    "cloudwatch:alarm": "alarm",
    "cloudwatch:dashboard": "dashboard",
    "sns": "topic",
    "sqs": "queue",
    "states": "state machine",
    "events": "rule",
    "iam:role": "role",
    "iam:policy": "policy",
    "iam:user": "user",
    "s3": "bucket",
}
_SHORTEST = 8
"""Shortest text by which a resource is known: an ID of a part, such as a rule's, may be shorter."""


@dataclass(frozen=True)
class Leftover:
    """A resource that is left. `is_ours`: its name, or the trial's state, says so; not a tag alone.

    `region` is one that its client can have.
    """

    found: Found
    credentials: Credentials
    region: str
    is_ours: bool


@dataclass(frozen=True)
class Leftovers:
    """What is left, and which looks failed, with the reason."""

    left: Sequence[str]
    looked: int
    """Number of resources that were looked at."""
    unseen: Mapping[str, str] = field(default_factory=dict)
    resources: Sequence[Leftover] = ()
    """What is left and is of a kind that is listed."""

    @property
    def is_blind(self) -> bool:
        """Whether every look failed: then nothing is known of what is left."""
        return not self.looked and bool(self.unseen)


def inventory(state: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return type, ID and region (empty: of the account) of AWS's resources in Pulumi's state."""
    resources = (state.get("deployment") or {}).get("resources") or []
    return [
        {
            "type": str(one["type"]),
            "id": str(one["id"]),
            "region": _region(one),
        }
        for one in resources
        if str(one["type"]).startswith("aws:") and one.get("id")
    ]


def _region(resource: Mapping[str, Any]) -> str:
    parts = (resource.get(name) or {} for name in ("inputs", "outputs"))
    return next((str(part["region"]) for part in parts if part.get("region")), "")


def find_leftovers(
    plan: TrialPlan, recorded: Iterable[Mapping[str, str]], clients: ClientPool
) -> Leftovers:
    """Look in all the members' regions and accounts. Raises `PrerequisiteError`."""
    marks = _marks(plan)
    ids = {one["id"] for one in recorded if len(one["id"]) >= _SHORTEST}
    left: dict[str, None] = {}
    unseen: dict[str, str] = {}
    resources: list[Leftover] = []
    looked = 0
    for credentials, region, kinds in _places(plan):
        try:
            arns = list(tagged(clients, credentials, region, (TAG, plan.name)))
        except CREDENTIAL_ERRORS as error:
            raise PrerequisiteError(f"No AWS credentials: {error}.") from error
        except (ClientError, BotoCoreError) as error:
            unseen[f"tags in {region}"] = str(error)
            arns = []
        tags = {*arns} | {_last(arn) for arn in arns}
        left |= dict.fromkeys(arn for arn in arns if _kind(arn) is None)
        for kind in kinds:
            try:
                for one in listed(clients, credentials, region, kind):
                    looked += 1
                    is_ours = _is_ours(one, marks, ids)
                    if is_ours or _is_known(one, tags):
                        left[one.label] = None
                        resources.append(Leftover(one, credentials, region, is_ours))
            except (ClientError, BotoCoreError) as error:
                unseen[f"{kind}s in {region}"] = str(error)
    return Leftovers(tuple(left), looked, unseen, tuple(resources))


def _marks(plan: TrialPlan) -> tuple[str, ...]:
    """Return texts that are in the names of this trial's resources, and in no others."""
    tail = plan.name.removeprefix("ring-")
    return (tail, *(f"-{member.id}-" for member in plan.members))


def _places(plan: TrialPlan) -> Iterator[tuple[Credentials, str, tuple[str, ...]]]:
    seen: set[object] = set()
    for member in plan.members:
        credentials = Credentials(member.profile, member.role, member.external_id)
        kinds = tuple(IN_A_REGION) if (credentials, member.region) not in seen else ()
        if credentials not in seen:
            kinds += tuple(IN_AN_ACCOUNT)
        seen |= {credentials, (credentials, member.region)}
        yield credentials, member.region, kinds


def _is_ours(one: Found, marks: Sequence[str], known: set[str]) -> bool:
    return any(mark in name for mark in marks for name in one.names) or _is_known(one, known)


def _is_known(one: Found, known: set[str]) -> bool:
    return any(name in known or _last(name) in known for name in one.names)


def _last(arn: str) -> str:
    """Return the name at the end of an ARN."""
    return arn.rpartition(":")[2].rpartition("/")[2] if arn.startswith("arn:") else arn


def _kind(arn: str) -> str | None:
    """Return the kind of a tagged resource; None: one that is not listed."""
    _, _, service, _, _, resource = [*arn.split(":", 5), *[""] * 6][:6]
    part = resource.replace("/", ":").partition(":")[0]
    return _TAGGED_KINDS.get(f"{service}:{part}") or _TAGGED_KINDS.get(service)
