"""What a member's key has to let in, as the documentation has it."""

from __future__ import annotations

import json
import re

import pytest

from ring.policies.kms_key import key_statements
from ring.project import PROJECT_ROOT

DOCS = (PROJECT_ROOT / "docs" / "how-to" / "encryption-keys.md").read_text()
ACCOUNT = "111122223333"
LOGS = {
    "eu-west-1": "logs.eu-west-1.amazonaws.com",
    "us-gov-west-1": "logs.us-gov-west-1.amazonaws.com",
    "cn-north-1": "logs.cn-north-1.amazonaws.com.cn",
}


def test_the_documentation_has_the_statements() -> None:
    (text,) = re.findall(r"```json\n(.*?)```", DOCS, re.DOTALL)

    assert json.loads(text) == key_statements("eu-west-1", ACCOUNT)


@pytest.mark.parametrize("region", LOGS)
def test_every_arn_and_service_is_of_the_regions_partition(region: str) -> None:
    roles, logs, alarms = key_statements(region, ACCOUNT)
    partition = {"eu-west-1": "aws", "us-gov-west-1": "aws-us-gov"}.get(region, "aws-cn")
    suffix = LOGS[region].removeprefix(f"logs.{region}.")

    assert roles["Principal"] == {"AWS": f"arn:{partition}:iam::{ACCOUNT}:root"}
    through = roles["Condition"]["StringEquals"]["kms:ViaService"]
    assert through == [f"dynamodb.{region}.{suffix}", f"s3.{region}.{suffix}"]
    assert logs["Principal"] == {"Service": LOGS[region]}
    assert alarms["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    arns = re.findall(r"arn:[\w-]+", json.dumps([roles, logs, alarms]))
    assert set(arns) == {f"arn:{partition}"}


def test_no_service_uses_the_key_for_another_account() -> None:
    _, logs, alarms = key_statements("eu-west-1", ACCOUNT)

    encrypted = logs["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]
    assert all(f":{ACCOUNT}:" in one for one in encrypted)
    assert alarms["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
