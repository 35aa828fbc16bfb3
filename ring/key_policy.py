"""What the policy of a member's key has to say. Pure.

The key is the user's, and so is its policy: the ring can only print what it needs.
"""

from __future__ import annotations

from ring.arn import Arn, partition_of
from ring.policies import Document


def key_statements(region: str, account: str) -> list[Document]:
    """The statements for a member's region and account.

    The first lets the account's IAM policies decide, for DynamoDB and S3: those of the ring's roles
    and of those who deploy and redrive. A key that leaves everything to IAM, as one that is made in
    the console does, says so already. The others are for services that use the key in their own
    name, which no role can let them do.
    """
    partition = partition_of(region)
    suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
    logs = str(Arn(partition, "logs", region, account, "log-group:%sring-*"))
    return [
        {
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
                    "kms:ViaService": [f"{one}.{region}.{suffix}" for one in ("dynamodb", "s3")]
                }
            },
        },
        {
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
        },
        {
            # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
            "Sid": "RingAlarms",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
            "Resource": "*",
            "Condition": {
                "StringEquals": {"aws:SourceAccount": account},
                "ArnLike": {
                    "aws:SourceArn": str(
                        Arn(partition, "cloudwatch", region, account, "alarm:ring-*")
                    )
                },
            },
        },
    ]
