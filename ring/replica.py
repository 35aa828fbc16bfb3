"""The component of one member: its provider, its tables and its quarantine."""

from __future__ import annotations

from functools import cached_property

import pulumi
import pulumi_aws as aws

from ring.arn import table_arn, table_arn_of_stream
from ring.policies import TableAccess, writer_policy
from ring.resources.private_bucket import private_bucket
from ring.resources.table_args import table_args, tombstone_args
from ring.settings.members import Member
from ring.settings.settings import Settings

REPLICA = "dynamodb-ring:index:Replica"
"""The component's type. It is part of every URN beneath it and never changes."""


class Replica(pulumi.ComponentResource):
    """A member of the ring.

    Its table is created, with its tombstones' table and its quarantine beside it. A member with a
    stream ARN keeps the table that it has, and is given the others alone. With `named_only` nothing
    is created: another stack does that, before this one or after, so the ARNs are put together from
    their parts and nothing is looked up; the stream is not known then.

    With `deletion_protection` the table outlives everything that the stack does to it: Pulumi lets
    go of it instead of deleting it, and DynamoDB refuses to delete it, whoever asks. With or
    without it a table is never replaced, by another key for example: the new one would be made
    first, which the old one's name does not allow (docs/decisions/0004-tables-outlive-a-stack.md).
    """

    provider: aws.Provider
    """Everything in the member's region and account is made with this one."""
    table_arn: pulumi.Output[str]
    stream_arn: pulumi.Output[str] | None
    tombstones_arn: pulumi.Output[str] | None
    quarantine: aws.s3.Bucket | None
    """Where a change of this member's stream goes that cannot be applied to the next one, whole.
    It is the member's, so that it outlives a hop. None if the member is named only."""

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
        self.provider = aws.Provider(
            name,
            region=member.region,
            profile=member.profile,
            assume_roles=_roles(member),
            # A wrong profile must not create the ring in somebody else's account.
            allowed_account_ids=[member.account_id] if member.account_id else None,
            default_tags=aws.ProviderDefaultTagsArgs(tags=settings.tags) if settings.tags else None,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.table_arn, self.stream_arn = self._table()
        self.tombstones_arn = self._tombstones()
        self.quarantine = None if named_only else self._quarantine()
        self.register_outputs(self.summary)

    @property
    def tombstones(self) -> str | None:
        """The name of the tombstones' table, None when tombstones are off."""
        return self.member.tombstones if self._settings.tombstones.enabled else None

    @property
    def summary(self) -> dict[str, pulumi.Input[str] | None]:
        """What the stack tells about the member."""
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
        """The member as one end of a hop, for the hop's policy."""
        return pulumi.Output.all(
            region=self.member.region,
            table=self.table_arn,
            tombstones=self.tombstones_arn,
            kms_key=self.member.kms_key,
        ).apply(lambda parts: TableAccess(**parts))

    @cached_property
    def writer(self) -> aws.iam.User:
        """The user that hops from other partitions write as; made when one first asks for it.

        It is the member's, so that its keys outlive a hop. They are made by hand and put into the
        secret that the settings name: here, they would be in the stack's state.
        """
        name = _writer_name(self._name, self.member)
        here = pulumi.ResourceOptions(parent=self, provider=self.provider)
        user = aws.iam.User(name, opts=here)
        # In the user, and on no group: one policy for one user that no person logs in as. On a
        # group, whoever is put into that would have it too, and a managed policy whatever it is
        # attached to; in the user it is nobody else's, and goes with the user.
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies-choosing-managed-or-inline.html
        aws.iam.UserPolicy(
            name,
            user=user.name,
            policy=pulumi.Output.json_dumps(self.end.apply(writer_policy)),
            opts=here,
        )
        return user

    def _table(self) -> tuple[pulumi.Output[str], pulumi.Output[str] | None]:
        stream = self.member.stream_arn
        if stream:
            adopted = table_arn_of_stream(stream)
            return pulumi.Output.from_input(adopted), pulumi.Output.from_input(stream)
        if self._named_only:
            return self._arn(self.member.table), None
        args = table_args(self._settings.table, self.member)
        kept = self._settings.table.deletion_protection
        table = aws.dynamodb.Table(self._name, args, self._never_replaced(retain_on_delete=kept))
        return table.arn, table.stream_arn

    def _tombstones(self) -> pulumi.Output[str] | None:
        if self.tombstones is None:
            return None
        if self._named_only:
            return self._arn(self.tombstones)
        args = tombstone_args(self._settings.table, self.member)
        return aws.dynamodb.Table(f"{self._name}-tombstones", args, self._never_replaced()).arn

    def _quarantine(self) -> aws.s3.Bucket:
        here = pulumi.ResourceOptions(parent=self, provider=self.provider)
        # It is never emptied to be deleted, nor as time goes by: it holds lost changes.
        return private_bucket(
            f"{self._name}-quarantine", "quarantine", self.member, here, kept_days=None
        )

    def _never_replaced(self, *, retain_on_delete: bool = False) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            parent=self,
            provider=self.provider,
            # The provider would delete a table first whose name somebody chose.
            delete_before_replace=False,
            retain_on_delete=retain_on_delete,
        )

    def _arn(self, table: str) -> pulumi.Output[str]:
        """The ARN of a table in this member's place that need not exist yet."""
        partition, account = self._place
        return pulumi.Output.all(partition, self.member.region, account, table).apply(
            lambda parts: table_arn(*parts)
        )

    @cached_property
    def _place(self) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        """The partition and the account that the member's provider works in."""
        asked = pulumi.InvokeOutputOptions(parent=self, provider=self.provider)
        partition = aws.get_partition_output(opts=asked)
        return partition.partition, aws.get_caller_identity_output(opts=asked).account_id


def _writer_name(name: str, member: Member) -> str:
    """Name the writer user, in 56 characters: Pulumi puts 8 behind it, and IAM takes 64.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    longest = 56
    told = f"{name}-writer"
    if len(told) <= longest:
        return told
    end = f"-{member.id}-writer"
    return name[: longest - len(end)] + end


def _roles(member: Member) -> list[aws.ProviderAssumeRoleArgs] | None:
    if not member.role:
        return None
    return [
        aws.ProviderAssumeRoleArgs(
            role_arn=member.role, external_id=member.external_id, session_name="dynamodb-ring"
        )
    ]
