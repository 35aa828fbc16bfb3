"""Refuse table settings that take two deployments to change, or that leaving out does not change.

The provider keeps a block that is left out (Terraform: Optional and Computed), so it reports no
change and changes nothing:
https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/dynamodb/table.go
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from operate.deployed import DeployedMember
from ring.settings.errors import SettingProblem
from ring.settings.sections import TableSettings


def omitted_settings(
    created: Sequence[DeployedMember], table: TableSettings
) -> Iterator[SettingProblem]:
    """Yield each problem once, for members whose tables this stack has created. Pure."""
    for rule in (_check_ttl, _check_last_index, _check_types):
        yield from next(filter(None, (list(rule(member, table)) for member in created)), ())


def _check_ttl(member: DeployedMember, table: TableSettings) -> Iterator[SettingProblem]:
    assert member.created
    before = member.created.ttl
    if before is None:
        return
    place = f"{member.table} in {member.region}"
    off = f"`ttl: {{attribute: {before}, enabled: false}}`"
    if table.ttl is None:
        yield SettingProblem(
            "table.ttl",
            None,
            f"items of {place} expire by `{before}`, and without the section that stays on",
            f"Write {off} to switch it off, and leave the section out once that is deployed.",
        )
    elif table.ttl.attribute != before:
        # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTimeToLive.html
        yield SettingProblem(
            "table.ttl.attribute",
            table.ttl.attribute,
            f"items of {place} expire by `{before}`, and DynamoDB accepts another attribute only "
            "after TTL has been switched off, which takes up to an hour",
            f"Deploy {off} first, and the new attribute an hour later.",
        )


def _check_last_index(member: DeployedMember, table: TableSettings) -> Iterator[SettingProblem]:
    """Ignored by the provider: https://github.com/hashicorp/terraform-provider-aws/issues/47490."""
    assert member.created
    if table.global_indexes or not member.created.global_indexes:
        return
    names = member.created.global_indexes
    delete = (
        f"aws dynamodb update-table --region {member.region} --table-name {member.table} "
        f'--global-secondary-index-updates \'[{{"Delete": {{"IndexName": "{names[0]}"}}}}]\''
    )
    yield SettingProblem(
        "table.global_indexes",
        [],
        f"{member.table} in {member.region} is deployed with {', '.join(names)}, and without any "
        "index in the settings the AWS provider keeps them and reports no change",
        f"Delete each index at every member by hand (`{delete}`), then `refresh`, then `up`.",
    )


def _check_types(member: DeployedMember, table: TableSettings) -> Iterator[SettingProblem]:
    """The provider compares attributes by name only."""
    assert member.created
    of_table = {key.name for key in table.key_attributes}
    for place, key in table.all_keys():
        before = member.created.types.get(key.name)
        is_its_own = place.startswith("table.global_indexes") and key.name not in of_table
        if is_its_own and before not in (None, key.type):
            yield SettingProblem(
                f"{place}.type",
                key.type,
                f"`{key.name}` is deployed as {before} at {member.table} in {member.region}, and "
                "the AWS provider does not detect a change of an attribute's type",
                f"Leave it {before}, or remove the indexes with `{key.name}`, deploy that, and add "
                "them again.",
            )
            return
