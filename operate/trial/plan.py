"""Plan of a trial: the ring's name and settings, and how much is written."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from operate.deployment.config_source import parse_settings
from operate.errors import InvalidRequestError
from ring.settings.members import Member, find_member, members_of
from ring.settings.settings import Settings
from ring.settings.types import MAX_TAGS

PREFIX = "ring-trial-"
"""Of the names of all trials' tables; names of functions, roles and alarms begin so, too."""
TAG = "dynamodb-ring:trial"
"""Key of the tag on everything that a trial makes; its value is the trial's name."""
PARTITION_KEY, SORT_KEY, EXPIRY, POISON = "group", "id", "expires", "poison"
_OF_A_MEMBER = ("region", "account", "profile", "role", "external_id", "kms_key")
_KEPT = ("tombstones", "mapping", "function", "heartbeat", "distributed", "tags")
_TTL = "own"


@dataclass(frozen=True)
class Load:
    """How much is written, at all members together."""

    inserts: int = 1_000
    updates: int = 600
    deletes: int = 400
    types: int = 50
    """Inserts with an attribute of every type, besides."""
    sizes: tuple[int, ...] = (1, 10, 50, 100, 200, 390)
    """KB of large items, one of each at each member, besides."""
    hot: int = 100
    """Updates in a row of one key."""
    contested: int = 40
    """Keys that all members write and delete at the same time."""
    rounds: int = 5
    """Writes of each contested key at each member."""


@dataclass(frozen=True)
class TrialPlan:
    """A trial's ring, and what is to be written to it. `settings` are those of a ring file."""

    name: str
    settings: Mapping[str, Any]
    load: Load = field(default_factory=Load)

    def parsed(self) -> Settings:
        """Return the settings. Raises `InvalidRequestError`."""
        return parse_settings(self.settings)

    @property
    def members(self) -> tuple[Member, ...]:
        """The members, in ring order."""
        return members_of(self.parsed())


def plan_trial(
    regions: Sequence[str] = (), like: Settings | None = None, load: Load | None = None
) -> TrialPlan:
    """Plan a ring in these regions, or one with the members and settings of another ring.

    Raises `InvalidRequestError` with all errors.
    """
    name = f"{PREFIX}{secrets.token_hex(3)}"
    settings = _settings(name, _members(regions, like), like)
    plan = TrialPlan(name, settings, load or Load())
    plan.parsed()
    return plan


def _members(regions: Sequence[str], like: Settings | None) -> list[dict[str, Any]]:
    if bool(regions) == (like is not None):
        raise InvalidRequestError(
            "Where is the trial to run? Pass --region for each member (two at least), or --stack "
            "for the regions and settings of that stack."
        )
    if like is None:
        return [{"region": region} for region in regions]
    if any(member.writer_secret for member in like.members):
        raise InvalidRequestError(
            "A trial runs in one partition: a hop to another one needs access keys that somebody "
            "puts into a secret. Pass --region for the members of one partition."
        )
    documents = (member.model_dump(mode="json", exclude_unset=True) for member in like.members)
    return [{name: one[name] for name in _OF_A_MEMBER if name in one} for one in documents]


def _settings(
    name: str, members: Sequence[Mapping[str, Any]], like: Settings | None
) -> dict[str, Any]:
    """Return the settings of a trial's ring: its tables can be deleted, its alarms call nobody."""
    given = {} if like is None else like.model_dump(mode="json", exclude_unset=True)
    kept = {section: given[section] for section in _KEPT if section in given}
    ttl = like.table.ttl if like else None
    # Its tables are new, and LATEST would miss what is written while mappings begin to poll.
    kept.get("mapping", {}).pop("starting_position", None)
    own = _of_their_own(name, [one["region"] for one in members])
    if like and like.distributed.at is not None:
        known = members_of(like)
        at = own[known.index(find_member(known, like.distributed.at))]["name"]
        kept["distributed"] = {**kept["distributed"], "at": at}
    return {
        **kept,
        "table": {
            "name": name,
            "partition_key": {"name": PARTITION_KEY, "type": "S"},
            "sort_key": {"name": SORT_KEY, "type": "S"},
            "ttl": {"attribute": EXPIRY, "expiry": ttl.expiry if ttl else _TTL},
            "deletion_protection": False,
            "point_in_time_recovery": False,
        },
        "members": [{**one, **names} for one, names in zip(members, own, strict=True)],
        "function": {**kept.get("function", {}), "log_items": True},
        "tags": {**_tags_besides_its_own(kept.get("tags", {})), TAG: name},
    }


def _tags_besides_its_own(tags: Mapping[str, str]) -> dict[str, str]:
    """Return a stack's tags that leave room for the trial's. Raises `InvalidRequestError`."""
    others = {key: value for key, value in tags.items() if key.lower() != TAG}
    if len(others) == MAX_TAGS:
        raise InvalidRequestError(
            f"A trial puts its tag {TAG} on all that it creates, to find what is left of it, and "
            f"the stack has {MAX_TAGS} tags, the most that a resource can have. Pass a stack's "
            "file with one tag less, or --region for each member instead of --stack."
        )
    return others


def _of_their_own(name: str, regions: Sequence[str]) -> list[dict[str, str]]:
    """Return each member's name, which begins the names of its resources, and its table.

    A member in the region of an earlier one has a number in both.
    """
    found: list[dict[str, str]] = []
    for place, region in enumerate(regions):
        count = regions[:place].count(region)
        tail = f"-{count + 1}" if count else ""
        table = {"table": f"{name}{tail}"} if tail else {}
        found.append({"name": f"{name.removeprefix('ring-')}-{region}{tail}", **table})
    return found
