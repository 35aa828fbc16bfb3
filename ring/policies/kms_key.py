"""Statements that the policy of a member's KMS key needs. Pure.

The key and its policy belong to the user: the ring prints the statements and cannot apply them.
"""

from __future__ import annotations

from ring.arn import Arn, partition_of
from ring.policies.statements import Document


def key_statements(region: str, account: str) -> list[Document]:
    """Return the statements for a member's region and account.

    The first lets the account's IAM policies allow the key for DynamoDB and S3: those of the ring's
    roles and of the people who deploy and redrive. The default policy of a key created in the
    console does that already. The others are for services that use the key themselves, which no
    role can allow.
    """
    partition = partition_of(region)
    suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
    return [
        _roles(partition, region, account, suffix),
        _logs(partition, region, account, suffix),
        _alarms(partition, region, account),
    ]


def _roles(partition: str, region: str, account: str, suffix: str) -> Document:
    """Let the account's IAM policies allow the key, for DynamoDB and S3 alone."""
    return {
        "Sid": "RingRoles",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{partition}:iam::{account}:root"},
        # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
        "Action": [
            "kms:CreateGrant",
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey*",
            "kms:ReEncrypt*",
        ],
        "Resource": "*",
        "Condition": {
            "StringEquals": {
                "kms:ViaService": [f"{name}.{region}.{suffix}" for name in ("dynamodb", "s3")]
            }
        },
    }


def _logs(partition: str, region: str, account: str, suffix: str) -> Document:
    """Let CloudWatch Logs encrypt the ring's log groups."""
    logs = str(Arn(partition, "logs", region, account, "log-group:%sring-*"))
    return {
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
        "Sid": "RingLogs",
        "Effect": "Allow",
        "Principal": {"Service": f"logs.{region}.{suffix}"},
        "Action": [
            "kms:Encrypt*",
            "kms:Decrypt*",
            "kms:ReEncrypt*",
            "kms:GenerateDataKey*",
            "kms:Describe*",
        ],
        "Resource": "*",
        "Condition": {
            "ArnLike": {
                "kms:EncryptionContext:aws:logs:arn": [
                    logs % "",
                    logs % "/aws/vendedlogs/states/",
                ]
            }
        },
    }


def _alarms(partition: str, region: str, account: str) -> Document:
    """Let CloudWatch publish the ring's alarms to encrypted topics."""
    return {
        # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
        "Sid": "RingAlarms",
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": account},
            "ArnLike": {
                "aws:SourceArn": str(Arn(partition, "cloudwatch", region, account, "alarm:ring-*"))
            },
        },
    }
