"""A shop's own Pulumi program: its carts are a ring, and its application may use them."""

import pulumi
import pulumi_aws as aws

from ring import Ring, Settings

REGION = "us-east-1"

settings = Settings.parse(
    {
        "table": {"name": "carts", "partition_key": {"name": "id", "type": "S"}},
        "members": [{"region": REGION}, {"region": "eu-west-1"}],
    }
)
carts = Ring("carts", settings)

home = pulumi.ResourceOptions(provider=aws.Provider("home", region=REGION))
application = aws.iam.Role(
    "application",
    assume_role_policy=pulumi.Output.json_dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "lambda.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
    ),
    opts=home,
)
aws.iam.RolePolicy(
    "uses-carts",
    role=application.name,
    policy=pulumi.Output.json_dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": [
                        "dynamodb:GetItem",
                        "dynamodb:PutItem",
                        "dynamodb:UpdateItem",
                        "dynamodb:DeleteItem",
                        "dynamodb:Query",
                    ],
                    "Resource": [member["table_arn"] for member in carts.members],
                }
            ],
        }
    ),
    opts=home,
)
pulumi.export("tables", [member["table_arn"] for member in carts.members])
pulumi.export("application", application.arn)
