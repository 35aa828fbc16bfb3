"""What the settings must be to each other. Each rule yields the mistakes that it finds. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ring.arn import Arn, partition_of, table_of_stream
from ring.settings.distributed import check_distributed
from ring.settings.errors import SettingProblem
from ring.settings.members import Member, NoSuchMemberError, find_member, targets_of
from ring.settings.monitoring import check_watch
from ring.settings.partial import PartialSettings
from ring.settings.policy_size import check_policy_sizes
from ring.settings.shared_tables import check_shared_tables
from ring.settings.table_rules import check_table
from ring.settings.types import TOMBSTONES

_MAX_TABLE_NAME = 255 - len(TOMBSTONES)


def check_rules(draft: PartialSettings) -> Iterator[SettingProblem]:
    """All mistakes that lie between the settings rather than in one of them."""
    if draft.table:
        yield from check_table(draft.table)
    for member_rule in _MEMBER_RULES:
        for key, member in draft.members_by_path().items():
            yield from member_rule(key, member)
    for ring_rule in _RING_RULES:
        yield from ring_rule(draft)


# --- each member ----------------------------------------------------------------------------


def _arns_fit(key: str, member: Member) -> Iterator[SettingProblem]:
    for setting in ("stream_arn", "kms_key", "role"):
        text = getattr(member, setting)
        if text is None:
            continue
        arn, where = Arn.parse(text), f"{key}.{setting}"
        if arn.region and arn.region != member.region:
            yield SettingProblem(
                where,
                text,
                f"it lies in {arn.region}, the member in {member.region}",
                f"Give the one in {member.region}, or correct {key}.region.",
            )
        elif arn.partition != partition_of(member.region):
            yield SettingProblem(
                where,
                text,
                f"it lies in partition {arn.partition}, {member.region} in "
                f"{partition_of(member.region)}",
                f"Write arn:{partition_of(member.region)}: in front, if the rest is right.",
            )
        if member.account and arn.account != member.account:
            yield SettingProblem(
                where,
                text,
                f"it belongs to account {arn.account}, the member to {member.account}",
                f"Give the one in {member.account}, or correct {key}.account.",
            )


def _stream_is_the_tables(key: str, member: Member) -> Iterator[SettingProblem]:
    if member.stream_arn is None:
        return
    table = table_of_stream(member.stream_arn)
    if table != member.table:
        yield SettingProblem(
            f"{key}.stream_arn",
            member.stream_arn,
            f"it is the stream of table `{table}`, the member's table is `{member.table}`",
            f"Leave {key}.table out (it is taken from the ARN), or give that table's stream.",
        )
    elif len(table) > _MAX_TABLE_NAME:
        yield SettingProblem(
            f"{key}.stream_arn",
            member.stream_arn,
            f"no name is left for the tombstone table: `{TOMBSTONES}` makes it more than the 255 "
            "characters that DynamoDB takes",
            f"Move the data to a table whose name has {_MAX_TABLE_NAME} characters at most.",
        )


def _external_id_needs_role(key: str, member: Member) -> Iterator[SettingProblem]:
    if member.external_id and not member.role:
        yield SettingProblem(
            f"{key}.external_id",
            member.external_id,
            "it is shown when a role is assumed, and there is no role",
            f"Give {key}.role, or leave it out.",
        )


def _key_is_beside_its_secret(key: str, member: Member) -> Iterator[SettingProblem]:
    secret = member.writer_secret
    if secret is None or secret.kms_key is None:
        return
    region = Arn.parse(secret.arn).region
    if Arn.parse(secret.kms_key).region != region:
        yield SettingProblem(
            f"{key}.writer_secret.kms_key",
            secret.kms_key,
            f"the secret lies in {region}, and a key encrypts only in its own region",
            f"Give the key in {region} that encrypts it.",
        )


_MEMBER_RULES = (
    _arns_fit,
    _stream_is_the_tables,
    _external_id_needs_role,
    _key_is_beside_its_secret,
)

# --- the ring -------------------------------------------------------------------------------


def _at_least_two(draft: PartialSettings) -> Iterator[SettingProblem]:
    if draft.listed_count is not None and draft.listed_count < 2:
        yield SettingProblem(
            "members",
            [member.name for member in draft.members_by_path().values()],
            "a ring joins two members or more",
            "List another region, or another table in the same one.",
        )


def _ring_stays_whole(draft: PartialSettings) -> Iterator[SettingProblem]:
    states = {key: member.state for key, member in draft.members_by_path().items()}
    if len(states) != draft.listed_count or len(states) < 2:
        return  # that is reported, and this may follow from it
    if list(states.values()).count("in") < 2:
        key = next(key for key, state in states.items() if state != "in")
        yield SettingProblem(
            f"{key}.state",
            states[key],
            "fewer than two members would be in the ring",
            "Let another one be `in` first, or take the ring down.",
        )


def _streams_have_two_readers(draft: PartialSettings) -> Iterator[SettingProblem]:
    members = list(draft.members_by_path().values())
    if len(members) != draft.listed_count:
        return  # who is next is not known
    for at, member in enumerate(members):
        targets = list(targets_of(members, at))
        if len(targets) > 2:
            first, second, *_ = targets
            yield SettingProblem(
                f"members[{members.index(first)}].state",
                first.state,
                f"{second.name} is rejoining too, and both are sent the stream of {member.name}, "
                "besides the member behind them; more than two readers of a stream are throttled "
                "(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html)",
                "Let one of them rejoin after the other.",
            )


def _each_once(draft: PartialSettings) -> Iterator[SettingProblem]:
    names: dict[str, str] = {}
    places: dict[str, str] = {}
    for key, member in draft.members_by_path().items():
        twin = places.get(member.id) or names.get(member.name)
        if twin:
            yield SettingProblem(
                key,
                f"{member.region}/{member.table or 'the table of the ring'}",
                f"a member twice: {twin} is the same, or has the same name",
                "Leave one out or give it another `table:`; a table of the same name in another "
                "account is identified by `name:` and `account:`.",
            )
        names.setdefault(member.name, key)
        places.setdefault(member.id, key)


def _partitions_are_crossed_with_keys(draft: PartialSettings) -> Iterator[SettingProblem]:
    keys = {member: key for key, member in draft.members_by_path().items()}
    members = list(keys)
    if len(members) != draft.listed_count:
        return  # who is next is not known
    for at, source in enumerate(members):
        for target in targets_of(members, at):
            if source.partition != target.partition:
                yield from _reaches(source, target, f"{keys[target]}.writer_secret")


def _reaches(source: Member, target: Member, key: str) -> Iterator[SettingProblem]:
    there = f"a secret in {source.partition}, best in {source.region}"
    secret = target.writer_secret
    if secret is None:
        yield SettingProblem(
            key,
            None,
            f"the hop that writes to it comes from {source.name} in partition {source.partition}, "
            f"where no role of {target.partition} can be taken",
            f"Write {{arn: ...}} of {there}; docs/decisions/0005-other-partitions.md says what "
            "belongs in it.",
        )
    elif Arn.parse(secret.arn).partition != source.partition:
        yield SettingProblem(
            f"{key}.arn",
            secret.arn,
            f"it lies in partition {Arn.parse(secret.arn).partition}, the hop that reads it in "
            f"{source.partition}, where {source.name} is",
            f"Give {there}.",
        )


def _secrets_are_read(draft: PartialSettings) -> Iterator[SettingProblem]:
    members = draft.members_by_path()
    for key, member in members.items():
        others = {one.partition for one in members.values()} - {member.partition}
        if member.writer_secret and len(members) == draft.listed_count and not others:
            yield SettingProblem(
                f"{key}.writer_secret",
                member.writer_secret.arn,
                f"no hop reads it: all members lie in partition {member.partition}, where roles do",
                "Leave it out.",
            )


def _tombstones_outlive_the_lap(draft: PartialSettings) -> Iterator[SettingProblem]:
    kept, listed = draft.tombstones, draft.listed_count
    if kept and listed and kept.enabled and kept.retention_days < listed:
        yield SettingProblem(
            "tombstones.retention_days",
            kept.retention_days,
            f"a write can wait 24 hours at each of {listed} members, and a tombstone that is gone "
            "before it arrives lets the deleted item come back",
            f"Write {listed} or more.",
        )


def _hops_are_members(draft: PartialSettings) -> Iterator[SettingProblem]:
    members = list(draft.members_by_path().values())
    if len(members) != draft.listed_count:
        return  # the hop may start at an invalid member, which is reported instead
    for at, word in enumerate(draft.hops or ()):
        try:
            find_member(members, word)
        except NoSuchMemberError as error:
            yield SettingProblem(f"hops[{at}]", word, error.reason, error.remedy)


def _watch_fits(draft: PartialSettings) -> Iterator[SettingProblem]:
    if draft.watch and draft.mapping:
        yield from check_watch(draft.watch, draft.mapping, draft.hop_sources())


def _distributed_reaches_all(draft: PartialSettings) -> Iterator[SettingProblem]:
    if draft.distributed:
        # Where `hops` are wrong, it must stand at some member all the same.
        sources = draft.hop_sources() or draft.all_members()
        yield from check_distributed(
            draft.distributed, list(draft.members_by_path().values()), sources
        )


def _roles_have_room(draft: PartialSettings) -> Iterator[SettingProblem]:
    members = draft.all_members()
    if draft.distributed and draft.tombstones and members:
        yield from check_policy_sizes(
            draft.distributed, draft.tombstones, members, draft.hop_sources()
        )


_RING_RULES = (
    _at_least_two,
    _ring_stays_whole,
    _streams_have_two_readers,
    _each_once,
    check_shared_tables,
    _partitions_are_crossed_with_keys,
    _secrets_are_read,
    _tombstones_outlive_the_lap,
    _hops_are_members,
    _watch_fits,
    _distributed_reaches_all,
    _roles_have_room,
)
