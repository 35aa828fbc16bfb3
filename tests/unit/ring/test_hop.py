"""A hop as it is declared: its function, mapping and quarantine, and what its roles may do."""

from __future__ import annotations

from pathlib import Path

import pulumi
import pytest

from ring.policies.bucket import tls_only
from ring.project import PROJECT_ROOT
from tests.support.pulumi_mocks import (
    ABROAD,
    ACCOUNT,
    BACK,
    CHINA,
    KEY,
    OUT,
    TWO,
    actions_on,
    config,
    deploy,
    deployed,
)

HANDLER = PROJECT_ROOT / "handler"


def test_a_function_is_the_handler_on_arm64_as_the_settings_want_it() -> None:
    seen = deployed(function={"memory": 1024, "timeout": 120, "log_retention_days": 90})
    function = seen.one("Function", OUT).inputs

    assert function["runtime"] == "python3.13"
    assert function["architectures"] == ["arm64"]
    assert function["handler"] == "handler.app.handle"
    assert function["memorySize"] == 1024
    assert function["timeout"] == 120
    assert function["role"] == f"arn:aws:iam::{ACCOUNT}:role/{OUT}-a1b2c3"
    assert function["loggingConfig"] == {"logFormat": "Text", "logGroup": f"{OUT}-a1b2c3"}
    assert seen.one("LogGroup", OUT).inputs["retentionInDays"] == 90


def test_the_archive_holds_the_handler_that_is_in_the_project() -> None:
    archive = deployed().one("Function", OUT).inputs["code"]

    assert isinstance(archive, pulumi.AssetArchive)
    assert set(archive.assets) == {
        str(path.relative_to(HANDLER.parent)) for path in HANDLER.rglob("*.py")
    }
    assert "handler/app.py" in archive.assets


def test_the_archive_holds_source_alone_so_that_its_hash_is_that_of_the_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ring.resources.lambda_archive.PROJECT_ROOT", tmp_path)
    room = tmp_path / "handler"
    (room / "__pycache__").mkdir(parents=True)
    (room / "app.py").touch()
    (room / "notes.txt").touch()
    archive = deploy(config()).one("Function", OUT).inputs["code"]

    assert set(archive.assets) == {"handler/app.py"}


def test_lambda_updates_a_runtime_when_it_likes_unless_the_settings_say_otherwise() -> None:
    assert deployed().all("RuntimeManagementConfig") == []
    assert deployed(function={"runtime_updates": "auto"}).all("RuntimeManagementConfig") == []

    seen = deployed(function={"runtime_updates": "function_update"})
    assert len(seen.all("RuntimeManagementConfig")) == 2
    for hop, provider in ((OUT, "ring-us-east-1"), (BACK, "ring-eu-west-1")):
        declared = seen.one("RuntimeManagementConfig", hop)
        assert declared.inputs == {
            "functionName": f"{hop}-a1b2c3",
            "updateRuntimeOn": "FunctionUpdate",
        }
        assert declared.provider == provider


def test_a_mapping_reads_the_source_as_the_settings_want_it() -> None:
    sections = {
        "batch_size": 100,
        "batching_window": 2,
        "parallelization_factor": 3,
        "starting_position": "LATEST",
        "retries": 9,
        "record_age": 600,
    }
    mapping = deployed(mapping=sections).one("EventSourceMapping", OUT).inputs

    assert mapping["eventSourceArn"].startswith(
        f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/orders/"
    )
    assert mapping["functionName"].endswith(f":function:{OUT}-a1b2c3")
    assert mapping["batchSize"] == 100
    assert mapping["maximumBatchingWindowInSeconds"] == 2
    assert mapping["parallelizationFactor"] == 3
    assert mapping["startingPosition"] == "LATEST"
    assert mapping["maximumRetryAttempts"] == 9
    assert mapping["maximumRecordAgeInSeconds"] == 600


def test_a_mapping_reports_single_failures_splits_batches_and_quarantines_what_it_gives_up() -> (
    None
):
    mapping = deployed().one("EventSourceMapping", OUT).inputs

    assert mapping["functionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["bisectBatchOnFunctionError"]
    assert mapping["destinationConfig"] == {
        "onFailure": {"destinationArn": "arn:aws:s3:::ring-quarantine-0996013b-a1b2c3"}
    }


def test_a_mapping_waits_for_the_policy_because_lambda_tries_the_role_at_once() -> None:
    seen = deployed()
    awaited = seen.one("EventSourceMapping", OUT).depends_on

    assert any(urn.endswith(f"aws:iam/rolePolicy:RolePolicy::{OUT}") for urn in awaited)


def test_the_quarantine_is_reached_by_tls_alone_and_settled_one_thing_after_the_other() -> None:
    seen = deployed(members=[{"region": "us-east-1", "kms_key": KEY}, TWO[1]])
    name, bucket = "ring-us-east-1-quarantine", "arn:aws:s3:::ring-quarantine-0996013b-a1b2c3"
    policy = seen.one("BucketPolicy", name)

    assert policy.document("policy") == tls_only(bucket)
    # S3 does not take two changes of a bucket at a time.
    before = ["BucketPublicAccessBlock", "BucketPolicy", "BucketLifecycleConfiguration"]
    after = [*before[1:], "BucketServerSideEncryptionConfiguration"]
    for first, second in zip(before, after, strict=True):
        awaited = seen.one(second, name).depends_on
        assert any(f":{first}::" in urn for urn in awaited)


def test_of_the_quarantine_nothing_goes_by_itself_but_what_was_deleted() -> None:
    seen = deployed()
    (rule,) = seen.one("BucketLifecycleConfiguration", "ring-us-east-1-quarantine").inputs["rules"]

    assert (rule["status"], rule["filter"]) == ("Enabled", {})
    assert rule["expiration"] == {"expiredObjectDeleteMarker": True}
    assert rule["noncurrentVersionExpiration"] == {"noncurrentDays": 1}
    assert rule["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 1}
    assert seen.all("BucketVersioning") == []


def test_the_sources_key_encrypts_the_quarantine_and_the_log_and_the_function_may_use_it() -> None:
    seen = deployed(members=[{"region": "us-east-1", "kms_key": KEY}, TWO[1]])
    (rule,) = seen.one(
        "BucketServerSideEncryptionConfiguration", "ring-us-east-1-quarantine"
    ).inputs["rules"]

    assert rule == {
        "applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": KEY},
        "bucketKeyEnabled": True,
    }
    assert seen.one("LogGroup", OUT).inputs["kmsKeyId"] == KEY
    out, back = (seen.one("RolePolicy", hop).document("policy") for hop in (OUT, BACK))
    assert actions_on(out, KEY) == {"kms:Decrypt", "kms:GenerateDataKey"}
    assert actions_on(back, KEY) == {"kms:Decrypt"}
    assert "kmsKeyId" not in seen.one("LogGroup", BACK).inputs
    assert [one.name for one in seen.all("BucketServerSideEncryptionConfiguration")] == [
        "ring-us-east-1-quarantine"
    ]


def test_the_quarantine_is_closed_to_the_public_and_never_emptied_to_be_deleted() -> None:
    seen = deployed()
    bucket = seen.one("Bucket", "ring-us-east-1-quarantine").inputs
    block = seen.one("BucketPublicAccessBlock", "ring-us-east-1-quarantine").inputs

    assert bucket["forceDestroy"] is False
    assert block["bucket"] == "ring-quarantine-0996013b-a1b2c3"
    assert all(
        block[rule]
        for rule in (
            "blockPublicAcls",
            "blockPublicPolicy",
            "ignorePublicAcls",
            "restrictPublicBuckets",
        )
    )


def test_names_and_descriptions_fit_however_long_the_tables_are() -> None:
    members = [
        {"region": "ap-southeast-2", "table": "orders." + "x" * 237},
        {"region": "ap-northeast-3", "table": "y" * 244},
    ]
    seen = deployed(members=members)

    for one in [*seen.all("Function"), *seen.all("Role")]:
        assert len(one.name) + len("-a1b2c3d") <= 64  # Pulumi's suffix; AWS's limit
        assert "." not in one.name
    for one in seen.all("Function"):
        assert len(one.inputs["description"]) <= 256
    for one in seen.all("Bucket"):
        assert len(one.inputs["bucketPrefix"]) <= 37  # what the provider leaves for its suffix


def test_a_function_writes_with_its_own_role_where_both_ends_share_their_credentials() -> None:
    seen = deployed()

    assert [one.name for one in seen.all("Role")] == [BACK, OUT]
    variables = seen.one("Function", OUT).inputs["environment"]["variables"]
    assert "RING_TARGET_ROLE" not in variables
    policy = seen.one("RolePolicy", OUT).document("policy")
    assert actions_on(policy, f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/orders") == {
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:DeleteItem",
        "dynamodb:PartiQLInsert",
        "dynamodb:PartiQLDelete",
    }


def test_a_function_writes_with_a_role_on_the_other_side_where_credentials_differ() -> None:
    seen = deployed(members=ABROAD)
    writer = seen.one("Role", f"{OUT}-writer")
    arn = f"arn:aws:iam::{ACCOUNT}:role/{OUT}-writer-a1b2c3"
    own = seen.one("RolePolicy", OUT).document("policy")
    there = seen.one("RolePolicy", f"{OUT}-writer")
    variables = seen.one("Function", OUT).inputs["environment"]["variables"]
    target = f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/orders"

    assert (writer.parent, writer.provider) == (OUT, "ring-eu-west-1")
    assert there.provider == "ring-eu-west-1"
    (trust,) = writer.document("assumeRolePolicy")["Statement"]
    assert trust["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:role/{OUT}-a1b2c3"}
    assert "dynamodb:PutItem" in actions_on(there.document("policy"), target)
    assert actions_on(own, arn) == {"sts:AssumeRole"}
    assert not actions_on(own, target)
    assert variables["RING_TARGET_ROLE"] == arn


def test_a_function_writes_to_another_partition_with_a_users_keys_that_it_reads_from_a_secret() -> (
    None
):
    seen = deployed(members=CHINA)
    own = seen.one("RolePolicy", "ring-us-east-1-to-cn-north-1").document("policy")
    user, policy = (seen.one(kind, "ring-cn-north-1-writer") for kind in ("User", "UserPolicy"))
    function = seen.one("Function", "ring-us-east-1-to-cn-north-1")
    variables = function.inputs["environment"]["variables"]
    secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:ring-to-cn-d4E5f6"
    target = f"arn:aws:dynamodb:cn-north-1:{ACCOUNT}:table/orders"

    assert actions_on(own, secret) == {"secretsmanager:GetSecretValue"}
    assert not actions_on(own, target)
    assert variables["RING_TARGET_SECRET"] == secret
    assert "RING_TARGET_ROLE" not in variables
    assert (user.provider, policy.provider) == ("ring-cn-north-1", "ring-cn-north-1")
    assert policy.inputs["user"] == "ring-cn-north-1-writer-a1b2c3"
    assert "dynamodb:PutItem" in actions_on(policy.document("policy"), target)
    assert [one.name for one in seen.all("Role")] == [
        "ring-cn-north-1-to-us-east-1",
        "ring-us-east-1-to-cn-north-1",
    ]
    assert [hop["writer"] for hop in seen.outputs["ring"]["hops"]] == [
        "ring-cn-north-1-writer-a1b2c3",
        "ring-us-east-1-writer-a1b2c3",
    ]


def test_the_user_of_a_member_is_the_same_whichever_hop_leads_there() -> None:
    between = {"region": "eu-west-1"}
    whole, closed = (
        deployed(members=[CHINA[0], between | {"state": state}, CHINA[1]]).all("User")
        for state in ("in", "bypassed")
    )

    assert [user.name for user in whole] == [user.name for user in closed]
    assert [user.parent for user in whole] == ["ring-cn-north-1", "ring-us-east-1"]


def test_a_mapping_is_enabled_unless_its_member_is_paused_and_says_which() -> None:
    paused = deployed(members=[{"region": "us-east-1", "paused": True}, {"region": "eu-west-1"}])

    assert paused.one("EventSourceMapping", OUT).inputs["enabled"] is False
    assert paused.one("EventSourceMapping", BACK).inputs["enabled"] is True
