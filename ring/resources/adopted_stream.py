"""The stream of a table that a member adopts, once it is known that the table fits."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from ring.settings.adopted_table import Table, check_adopted_table
from ring.settings.members import Member
from ring.settings.settings import Settings


def adopted_stream(
    member: Member, stream: str, settings: Settings, opts: pulumi.InvokeOutputOptions
) -> pulumi.Output[str]:
    """Return the stream's ARN. A table that does not fit is a RunError, in a preview as well."""
    found = aws.dynamodb.get_table_output(name=member.table, opts=opts)

    def checked(table: aws.dynamodb.GetTableResult) -> str:
        key = f"stream_arn of the member {member.name}"
        problems = list(check_adopted_table(key, member, settings, _described(table)))
        if problems:
            lines = "\n\n".join(f"  {problem}" for problem in problems)
            raise pulumi.RunError(f"A table cannot be adopted.\n\n{lines}\n")
        return stream

    return found.apply(checked)


def _described(table: aws.dynamodb.GetTableResult) -> Table:
    """Return a table as DynamoDB describes it; the provider has empty texts for what is absent."""
    keys = {"HASH": table.hash_key, "RANGE": table.range_key}
    return {
        "LatestStreamArn": table.stream_arn,
        "StreamSpecification": {
            "StreamEnabled": table.stream_enabled,
            "StreamViewType": table.stream_view_type,
        },
        "KeySchema": [
            {"AttributeName": name, "KeyType": kind} for kind, name in keys.items() if name
        ],
        "AttributeDefinitions": [
            {"AttributeName": one.name, "AttributeType": one.type} for one in table.attributes
        ],
    }
