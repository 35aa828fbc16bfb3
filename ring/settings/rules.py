"""Rules between settings. Each rule yields the problems that it finds. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ring.arn import Arn, partition_of, table_of_stream
from ring.settings.distributed import check_distributed
from ring.settings.errors import SettingProblem
from ring.settings.mapping_rules import check_mapping
from ring.settings.members import Member, NoSuchMemberError, find_member, targets_of
from ring.settings.monitoring import check_monitoring
from ring.settings.partial import PartialSettings
from ring.settings.policy_size import check_policy_sizes
from ring.settings.shared_tables import check_shared_tables
from ring.settings.table_rules import check_heartbeat_attribute, check_table
from ring.settings.types import TOMBSTONES

_MAX_TABLE_NAME = 255 - len(TOMBSTONES)


def check_rules(partial: PartialSettings) -> Iterator[SettingProblem]:
    """Yield all problems between settings, as opposed to those in a single one."""
    if partial.table:
        yield from check_table(partial.table)
        if partial.heartbeat and partial.heartbeat.enabled:
            yield from check_heartbeat_attribute(partial.table)
    if partial.mapping and partial.function:
        yield from check_mapping(partial.mapping, partial.function)
    for member_rule in _MEMBER_RULES:
        for key, member in partial.members_by_path().items():
            yield from member_rule(key, member)
    for ring_rule in _RING_RULES:
        yield from ring_rule(partial)


# --- each member ----------------------------------------------------------------------------


def _arns_match_the_member(key: str, member: Member) -> Iterator[SettingProblem]:
    for setting in ("stream_arn", "kms_key", "role"):
        text = getattr(member, setting)
        if text is None:
            continue
        arn, path = Arn.parse(text), f"{key}.{setting}"
        if arn.region and arn.region != member.region:
            yield SettingProblem(
                path,
                text,
                f"it is in {arn.region}, the member in {member.region}",
                f"Use one in {member.region}, or correct {key}.region.",
            )
        elif arn.partition != partition_of(member.region):
            yield SettingProblem(
                path,
                text,
                f"it is in partition {arn.partition}, {member.region} in "
                f"{partition_of(member.region)}",
                f"Start it with arn:{partition_of(member.region)}: if the rest is right.",
            )
        if member.account and arn.account != member.account:
            yield SettingProblem(
                path,
                text,
                f"it is in account {arn.account}, the member in {member.account}",
                f"Use one in {member.account}, or correct {key}.account.",
            )


def _stream_is_of_the_table(key: str, member: Member) -> Iterator[SettingProblem]:
    if member.stream_arn is None:
        return
    table = table_of_stream(member.stream_arn)
    if table != member.table:
        yield SettingProblem(
            f"{key}.stream_arn",
            member.stream_arn,
            f"it is the stream of table `{table}`, but the member's table is `{member.table}`",
            f"Remove {key}.table (the ARN has the name), or use the stream of that table.",
        )
    elif len(table) > _MAX_TABLE_NAME:
        yield SettingProblem(
            f"{key}.stream_arn",
            member.stream_arn,
            f"the tombstone table's name, which adds `{TOMBSTONES}`, would be longer than the 255 "
            "characters that DynamoDB allows",
            f"Move the data to a table with a name of at most {_MAX_TABLE_NAME} characters.",
        )


def _external_id_needs_role(key: str, member: Member) -> Iterator[SettingProblem]:
    if member.external_id and not member.role:
        yield SettingProblem(
            f"{key}.external_id",
            member.external_id,
            "`external_id` is only used with `role`, which is not set",
            f"Set {key}.role, or remove {key}.external_id.",
        )


def _key_is_in_the_secrets_region(key: str, member: Member) -> Iterator[SettingProblem]:
    secret = member.writer_secret
    if secret is None or secret.kms_key is None:
        return
    region = Arn.parse(secret.arn).region
    if Arn.parse(secret.kms_key).region != region:
        yield SettingProblem(
            f"{key}.writer_secret.kms_key",
            secret.kms_key,
            f"the secret is in {region}, and a key encrypts only in its own region",
            f"Use the key in {region} that encrypts it.",
        )


_MEMBER_RULES = (
    _arns_match_the_member,
    _stream_is_of_the_table,
    _external_id_needs_role,
    _key_is_in_the_secrets_region,
)

# --- the ring -------------------------------------------------------------------------------


def _at_least_two(partial: PartialSettings) -> Iterator[SettingProblem]:
    if partial.listed_count is not None and partial.listed_count < 2:
        yield SettingProblem(
            "members",
            [member.name for member in partial.members_by_path().values()],
            "a ring needs at least two members",
            "Add another region, or another table in the same region.",
        )


def _two_members_are_in(partial: PartialSettings) -> Iterator[SettingProblem]:
    states = {key: member.state for key, member in partial.members_by_path().items()}
    if len(states) != partial.listed_count or len(states) < 2:
        return  # reported elsewhere, and this may be a consequence
    if list(states.values()).count("in") < 2:
        key = next(key for key, state in states.items() if state != "in")
        yield SettingProblem(
            f"{key}.state",
            states[key],
            "fewer than two members would be in the ring",
            "Set `state: in` for another member first, or destroy the ring.",
        )


def _streams_have_at_most_two_readers(partial: PartialSettings) -> Iterator[SettingProblem]:
    members = list(partial.members_by_path().values())
    if len(members) != partial.listed_count:
        return  # the next member is unknown
    for index, member in enumerate(members):
        targets = list(targets_of(members, index))
        if len(targets) > 2:
            first, second, *_ = targets
            yield SettingProblem(
                f"members[{members.index(first)}].state",
                first.state,
                f"{second.name} is rejoining too, so the stream of {member.name} would have three "
                "readers or more, and DynamoDB throttles more than two "
                "(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html)",
                "Let one of them rejoin after the other.",
            )


def _no_duplicates(partial: PartialSettings) -> Iterator[SettingProblem]:
    names: dict[str, str] = {}
    places: dict[str, str] = {}
    for key, member in partial.members_by_path().items():
        twin = places.get(member.id) or names.get(member.name)
        if twin:
            yield SettingProblem(
                key,
                f"{member.region}/{member.table or 'the table of the ring'}",
                f"it is a duplicate: {twin} is the same member or has the same name",
                "Remove one, or set another `table`. For a table of the same name in another "
                "account, set `name` and `account`.",
            )
        names.setdefault(member.name, key)
        places.setdefault(member.id, key)


def _other_partitions_have_secrets(partial: PartialSettings) -> Iterator[SettingProblem]:
    keys = {member: key for key, member in partial.members_by_path().items()}
    members = list(keys)
    if len(members) != partial.listed_count:
        return  # the next member is unknown
    for index, source in enumerate(members):
        for target in targets_of(members, index):
            if source.partition != target.partition:
                yield from _check_secret(source, target, f"{keys[target]}.writer_secret")


def _check_secret(source: Member, target: Member, key: str) -> Iterator[SettingProblem]:
    expected = f"a secret in {source.partition}, best in {source.region}"
    secret = target.writer_secret
    if secret is None:
        yield SettingProblem(
            key,
            None,
            f"the hop that writes to it starts at {source.name} in partition {source.partition}, "
            f"which cannot assume a role in {target.partition}",
            f"Write {{arn: ...}} of {expected}. What it has to contain: "
            "docs/decisions/0005-other-partitions.md",
        )
    elif Arn.parse(secret.arn).partition != source.partition:
        yield SettingProblem(
            f"{key}.arn",
            secret.arn,
            f"it is in partition {Arn.parse(secret.arn).partition}, but the hop that reads it is "
            f"in {source.partition}, at {source.name}",
            f"Use {expected}.",
        )


def _secrets_are_used(partial: PartialSettings) -> Iterator[SettingProblem]:
    members = partial.members_by_path()
    for key, member in members.items():
        others = {other.partition for other in members.values()} - {member.partition}
        if member.writer_secret and len(members) == partial.listed_count and not others:
            yield SettingProblem(
                f"{key}.writer_secret",
                member.writer_secret.arn,
                f"no hop reads it: all members are in partition {member.partition}, where hops "
                "assume roles",
                "Remove it.",
            )


def _tombstones_outlive_the_lap(partial: PartialSettings) -> Iterator[SettingProblem]:
    tombstones, count = partial.tombstones, partial.listed_count
    if tombstones and count and tombstones.enabled and tombstones.retention_days < count:
        yield SettingProblem(
            "tombstones.retention_days",
            tombstones.retention_days,
            f"a write can wait 24 hours at each of {count} members; if a tombstone expires before "
            "the write arrives, the deleted item is restored",
            f"Write {count} or more.",
        )


def _hops_are_members(partial: PartialSettings) -> Iterator[SettingProblem]:
    members = list(partial.members_by_path().values())
    if len(members) != partial.listed_count:
        return  # the hop may start at an invalid member, which is reported already
    for index, word in enumerate(partial.hops or ()):
        try:
            find_member(members, word)
        except NoSuchMemberError as error:
            yield SettingProblem(f"hops[{index}]", word, error.reason, error.remedy)


def _monitoring_is_valid(partial: PartialSettings) -> Iterator[SettingProblem]:
    if partial.monitoring and partial.mapping:
        yield from check_monitoring(partial.monitoring, partial.mapping, partial.hop_sources())


def _distributed_is_valid(partial: PartialSettings) -> Iterator[SettingProblem]:
    if partial.distributed:
        # If `hops` is invalid, `at` must name a member all the same.
        sources = partial.hop_sources() or partial.all_members()
        yield from check_distributed(
            partial.distributed, list(partial.members_by_path().values()), sources
        )


def _policies_are_short_enough(partial: PartialSettings) -> Iterator[SettingProblem]:
    members = partial.all_members()
    if partial.distributed and partial.tombstones and members:
        yield from check_policy_sizes(
            partial.distributed, partial.tombstones, members, partial.hop_sources()
        )


_RING_RULES = (
    _at_least_two,
    _two_members_are_in,
    _streams_have_at_most_two_readers,
    _no_duplicates,
    check_shared_tables,
    _other_partitions_have_secrets,
    _secrets_are_used,
    _tombstones_outlive_the_lap,
    _hops_are_members,
    _monitoring_is_valid,
    _distributed_is_valid,
    _policies_are_short_enough,
)
