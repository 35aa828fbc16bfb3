"""Component of one member: its provider, its tables and its quarantine."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import pulumi
import pulumi_aws as aws

from ring.arn import table_arn, table_arn_of_stream
from ring.component_types import REPLICA
from ring.partitions import mappings_are_limited
from ring.policies.hop import writer_policy
from ring.policies.statements import TableAccess
from ring.resources.adopted_stream import adopted_stream
from ring.resources.private_bucket import private_bucket
from ring.resources.table_args import table_args, tombstone_args
from ring.settings.members import Member
from ring.settings.settings import Settings


class Replica(pulumi.ComponentResource):
    """A member's table, tombstone table and quarantine bucket.

    A member with a stream ARN keeps its existing table; only the other two are created. With
    `named_only` nothing is created: another stack does that, earlier or later, so the ARNs are
    built from their parts without a lookup, and the stream is unknown.

    With `deletion_protection` the stack can never delete the table: Pulumi only removes it from its
    state, and DynamoDB rejects every request to delete it. In any case a table is never replaced,
    for example by one with another key: Pulumi would create the new one first, which fails because
    the name is taken (docs/decisions/0004-tables-outlive-a-stack.md).
    """

    provider: aws.Provider
    """The provider of all resources in the member's region and account."""
    table_arn: pulumi.Output[str]
    stream_arn: pulumi.Output[str] | None
    tombstones_arn: pulumi.Output[str] | None
    quarantine: aws.s3.Bucket | None
    """Bucket for changes of this member's stream that cannot be applied to the next member, with
    all their data. It belongs to the member, so that it outlives a hop. None with `named_only`."""

    def __init__(
        self,
        name: str,
        member: Member,
        settings: Settings,
        *,
        named_only: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(REPLICA, name, {}, opts)
        self.member = member
        self._name = name
        self._settings = settings
        self._named_only = named_only
        self.provider = self._declare_provider(name, settings.tags)
        self.table_arn, self.stream_arn = self._table()
        self.tombstones_arn = self._tombstones()
        self.quarantine = None if named_only else self._quarantine()
        self.register_outputs(self.summary)

    @property
    def tombstones(self) -> str | None:
        """The name of the tombstone table; None if tombstones are off."""
        return self.member.tombstones if self._settings.tombstones.enabled else None

    @property
    def summary(self) -> dict[str, pulumi.Input[str] | None]:
        """The member in the stack's outputs."""
        return {
            "name": self.member.name,
            "region": self.member.region,
            "table": self.member.table,
            "table_arn": self.table_arn,
            "stream_arn": self.stream_arn,
            "tombstones": self.tombstones,
        }

    @property
    def end(self) -> pulumi.Output[TableAccess]:
        """The member's tables and key, for the policy of a hop."""
        return pulumi.Output.all(
            region=self.member.region,
            table=self.table_arn,
            tombstones=self.tombstones_arn,
            kms_key=self.member.kms_key,
        ).apply(lambda parts: TableAccess(**parts))

    @cached_property
    def mapping_provider(self) -> aws.Provider:
        """The provider of event source mappings, without tags where mappings cannot have any."""
        if self._settings.tags and mappings_are_limited(self.member.partition):
            return self._declare_provider(f"{self._name}-untagged", {})
        return self.provider

    @cached_property
    def writer(self) -> aws.iam.User:
        """The user that hops from other partitions write as, declared on first use.

        It belongs to the member, so that its access keys outlive a hop. They are created by hand
        and put into the secret that the settings name: Pulumi would store them in its state.
        """
        name = _writer_name(self._name, self.member)
        opts = pulumi.ResourceOptions(parent=self, provider=self.provider)
        user = aws.iam.User(name, opts=opts)
        # Inline, not on a group: one policy for one user that no person logs in as. A group would
        # give it to every new member, and a managed policy can be attached elsewhere; an inline
        # policy belongs to this user alone, and is deleted with it.
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies-choosing-managed-or-inline.html
        aws.iam.UserPolicy(
            name,
            user=user.name,
            policy=pulumi.Output.json_dumps(self.end.apply(writer_policy)),
            opts=opts,
        )
        return user

    def _declare_provider(self, name: str, tags: Mapping[str, str]) -> aws.Provider:
        member = self.member
        return aws.Provider(
            name,
            region=member.region,
            profile=member.profile,
            assume_roles=_roles(member),
            # Guards against a wrong profile, which would create the ring in another account.
            allowed_account_ids=[member.account_id] if member.account_id else None,
            default_tags=aws.ProviderDefaultTagsArgs(tags=tags) if tags else None,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _table(self) -> tuple[pulumi.Output[str], pulumi.Output[str] | None]:
        stream = self.member.stream_arn
        if stream:
            return pulumi.Output.from_input(table_arn_of_stream(stream)), self._adopted(stream)
        if self._named_only:
            return self._arn(self.member.table), None
        args = table_args(self._settings.table, self.member)
        retain = self._settings.table.deletion_protection
        table = aws.dynamodb.Table(self._name, args, self._never_replaced(retain_on_delete=retain))
        return table.arn, table.stream_arn

    def _adopted(self, stream: str) -> pulumi.Output[str]:
        """Return the ARN of the adopted table's stream, checked unless the region may be lost."""
        if self._named_only or self.member.state == "bypassed":
            return pulumi.Output.from_input(stream)
        opts = pulumi.InvokeOutputOptions(parent=self, provider=self.provider)
        return adopted_stream(self.member, stream, self._settings, opts)

    def _tombstones(self) -> pulumi.Output[str] | None:
        if self.tombstones is None:
            return None
        if self._named_only:
            return self._arn(self.tombstones)
        args = tombstone_args(self._settings.table, self.member)
        return aws.dynamodb.Table(f"{self._name}-tombstones", args, self._never_replaced()).arn

    def _quarantine(self) -> aws.s3.Bucket:
        opts = pulumi.ResourceOptions(parent=self, provider=self.provider)
        # Never emptied automatically: its records exist nowhere else.
        return private_bucket(
            f"{self._name}-quarantine", "quarantine", self.member, opts, kept_days=None
        )

    def _never_replaced(self, *, retain_on_delete: bool = False) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            parent=self,
            provider=self.provider,
            # For a table with a fixed name, the provider's default is to delete it first.
            delete_before_replace=False,
            retain_on_delete=retain_on_delete,
        )

    def _arn(self, table: str) -> pulumi.Output[str]:
        """Return the ARN of a table in the member's account and region. It need not exist yet."""
        partition, account = self._location
        return pulumi.Output.all(partition, self.member.region, account, table).apply(
            lambda parts: table_arn(*parts)
        )

    @cached_property
    def _location(self) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        """The partition and the account of the member's provider."""
        opts = pulumi.InvokeOutputOptions(parent=self, provider=self.provider)
        partition = aws.get_partition_output(opts=opts)
        return partition.partition, aws.get_caller_identity_output(opts=opts).account_id


def _writer_name(name: str, member: Member) -> str:
    """Return the writer user's name: at most 56 characters, since Pulumi adds 8 and IAM takes 64.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    max_length = 56
    if len(name) + len("-writer") <= max_length:
        return f"{name}-writer"
    suffix = f"-{member.id}-writer"
    return name[: max_length - len(suffix)] + suffix


def _roles(member: Member) -> list[aws.ProviderAssumeRoleArgs] | None:
    if not member.role:
        return None
    return [
        aws.ProviderAssumeRoleArgs(
            role_arn=member.role, external_id=member.external_id, session_name="dynamodb-ring"
        )
    ]
