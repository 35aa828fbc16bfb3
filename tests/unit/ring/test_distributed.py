"""Distributed check and backfill as it is declared."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from ring.settings.members import members_of
from ring.settings.policy_size import segments_policy_of
from ring.settings.settings import Settings
from ring.state_machine import LABEL
from tests.support.invalid_distributed import apart
from tests.support.pulumi_mocks import ABROAD, ACCOUNT, KEY, TWO, Watching, config, deployed

ON = {"enabled": True}
NAME = "ring-segments"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{NAME}-a1b2c3"
MACHINE = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:{NAME}-a1b2c3"


def allowed(seen: Watching, name: str) -> set[tuple[str, str]]:
    """The actions that a role's policy allows, each with its resource."""
    statements: list[Any] = seen.one("RolePolicy", name).document("policy")["Statement"]
    return {
        (action.partition(":")[2], resource)
        for one in statements
        for action in one["Action"]
        for resource in ([one["Resource"]] if isinstance(one["Resource"], str) else one["Resource"])
    }


def children(seen: Watching) -> set[tuple[str, str]]:
    return {(one.type.rpartition(":")[2], one.name) for one in seen.declared if one.parent == NAME}


def test_it_is_off_by_default() -> None:
    seen = deployed()

    assert seen.all("Distributed") == seen.all("StateMachine") == []
    assert seen.outputs["ring"].get("distributed") is None


def test_it_is_a_function_a_state_machine_and_a_bucket_at_the_first_member() -> None:
    seen = deployed(distributed=ON)

    assert children(seen) == {
        ("Bucket", NAME),
        ("BucketLifecycleConfiguration", NAME),
        ("BucketPolicy", NAME),
        ("BucketPublicAccessBlock", NAME),
        ("Function", NAME),
        ("LogGroup", NAME),
        ("LogGroup", f"{NAME}-machine"),
        ("Role", NAME),
        ("Role", f"{NAME}-machine"),
        ("RolePolicy", NAME),
        ("RolePolicy", f"{NAME}-machine"),
        ("RolePolicy", f"{NAME}-machine-logs"),
        ("StateMachine", NAME),
    }
    assert {one.provider for one in seen.declared if one.parent == NAME} == {"ring-us-east-1"}
    assert seen.one("Distributed", NAME).type == "dynamodb-ring:index:Distributed"


def test_its_runtime_is_updated_like_that_of_the_hops() -> None:
    seen = deployed(distributed=ON, function={"runtime_updates": "function_update"})

    inputs = seen.one("RuntimeManagementConfig", NAME).inputs
    assert inputs == {"functionName": f"{NAME}-a1b2c3", "updateRuntimeOn": "FunctionUpdate"}


def test_it_runs_at_the_member_of_the_settings() -> None:
    seen = deployed(distributed=ON | {"at": "eu-west-1"})

    assert seen.one("StateMachine", NAME).provider == "ring-eu-west-1"
    assert seen.outputs["ring"]["distributed"]["member"] == "eu-west-1"


def test_the_stack_exports_its_names_and_arns() -> None:
    summary = deployed(distributed=ON).outputs["ring"]["distributed"]

    assert summary["member"] == "us-east-1"
    assert (summary["machine"], summary["function"]) == (MACHINE, FUNCTION)
    assert summary["bucket"].startswith("ring-results-")
    assert (summary["readers"], summary["writes"]) == ({}, False)


def test_its_function_has_the_worker_and_lambdas_longest_timeout() -> None:
    inputs = deployed(distributed=ON | {"memory": 512}).one("Function", NAME).inputs

    files = set(inputs["code"].assets)
    assert {"operate/distributed/worker.py", "handler/store/dynamodb.py"} <= files
    assert all(file.endswith(".py") for file in files)
    assert (inputs["handler"], inputs["timeout"]) == ("operate.distributed.worker.handle", 900)
    assert inputs["memorySize"] == 512


def test_a_hops_function_has_the_handlers_source_alone() -> None:
    code = deployed(distributed=ON).all("Function")[0].inputs["code"]

    assert {file.partition("/")[0] for file in code.assets} == {"handler"}


def test_its_state_machine_runs_at_once_segments_at_a_time() -> None:
    machine = deployed(distributed=ON | {"at_once": 7}).one("StateMachine", NAME)
    map_ = machine.document("definition")["States"]["Segments"]

    assert map_["MaxConcurrency"] == 7
    assert map_["ItemProcessor"]["States"]["Work"]["Resource"] == FUNCTION
    assert machine.inputs["roleArn"].endswith(f"role/{NAME}-machine-a1b2c3")


def test_the_state_machine_may_run_its_map_and_its_function_and_read_the_bucket() -> None:
    seen = deployed(distributed=ON)
    executions = MACHINE.replace("stateMachine", "execution")
    bucket = f"arn:aws:s3:::{seen.outputs['ring']['distributed']['bucket']}"

    assert allowed(seen, f"{NAME}-machine") == {
        ("StartExecution", MACHINE),
        ("DescribeExecution", f"{executions}:*"),
        ("StopExecution", f"{executions}:*"),
        ("RedriveExecution", f"{executions}/{LABEL}:*"),
        ("InvokeFunction", FUNCTION),
        ("GetObject", f"{bucket}/*"),
    }


def tables(region: str, account: str = ACCOUNT) -> tuple[str, str]:
    arn = f"arn:aws:dynamodb:{region}:{account}:table/orders"
    return arn, f"{arn}-tombstones"


READS = {"Scan", "BatchGetItem", "GetItem"}


def test_the_function_may_read_all_tables_and_write_to_none() -> None:
    seen = deployed(distributed=ON)
    on = {(action, one) for action, one in allowed(seen, NAME) if ":dynamodb:" in one}

    pairs = [tables(region) for region in ("us-east-1", "eu-west-1")]
    assert on == {
        *((action, table) for table, _ in pairs for action in READS),
        *((action, buried) for _, buried in pairs for action in READS),
    }


def test_it_may_write_items_where_the_settings_say_so_and_tombstones_never() -> None:
    before, after = (
        allowed(deployed(distributed=ON | {"writes": writes}), NAME) for writes in (False, True)
    )

    assert after - before == {
        ("PutItem", table) for table, _ in map(tables, ("us-east-1", "eu-west-1"))
    }


def test_without_tombstones_there_are_none_to_read() -> None:
    seen = deployed(distributed=ON, tombstones={"enabled": False})

    assert not any("tombstones" in one for _, one in allowed(seen, NAME))


def test_a_member_in_another_account_is_reached_through_a_role_there() -> None:
    seen = deployed(distributed=ON, members=ABROAD)
    (member,) = [one for one in seen.outputs["ring"]["members"] if one["region"] == "eu-west-1"]
    readers = seen.outputs["ring"]["distributed"]["readers"]
    (reader,) = [
        one for one in seen.all("Role") if one.parent == NAME and one.provider == "ring-eu-west-1"
    ]

    assert list(readers) == [member["name"]]
    assert readers[member["name"]].endswith(f"role/{reader.name}-a1b2c3")
    trusted = reader.document("assumeRolePolicy")["Statement"][0]["Principal"]
    assert trusted == {"AWS": f"arn:aws:iam::{ACCOUNT}:role/{NAME}-a1b2c3"}
    assert ("AssumeRole", readers[member["name"]]) in allowed(seen, NAME)
    assert ("Scan", member["table_arn"]) in allowed(seen, reader.name)
    assert not any(":eu-west-1:" in one for _, one in allowed(seen, NAME))


def test_a_key_is_used_through_dynamodb_alone() -> None:
    members = [{**TWO[0], "kms_key": KEY}, TWO[1]]  # type: ignore[dict-item]
    seen = deployed(distributed=ON, members=members)
    (decrypt,) = [
        one
        for one in seen.one("RolePolicy", NAME).document("policy")["Statement"]
        if one["Sid"] == "Key0"
    ]

    assert decrypt["Resource"] == KEY
    assert decrypt["Condition"] == {"StringLike": {"kms:ViaService": "dynamodb.us-east-1.*"}}


def test_its_bucket_and_its_logs_are_encrypted_with_the_key_of_the_member_where_it_is() -> None:
    members = [{**TWO[0], "kms_key": KEY}, TWO[1]]  # type: ignore[dict-item]
    seen = deployed(distributed=ON, members=members)

    (rule,) = seen.one("BucketServerSideEncryptionConfiguration", NAME).inputs["rules"]
    assert rule["applyServerSideEncryptionByDefault"]["kmsMasterKeyId"] == KEY
    for name in (NAME, f"{NAME}-machine"):
        assert seen.one("LogGroup", name).inputs["kmsKeyId"] == KEY
    elsewhere = deployed(distributed=ON | {"at": "eu-west-1"}, members=members)
    assert "kmsKeyId" not in elsewhere.one("LogGroup", NAME).inputs
    used = {(action, on) for action, on in allowed(elsewhere, NAME) if on == KEY}
    assert used == {("Decrypt", KEY)}


def test_its_results_go_after_a_month() -> None:
    rules = deployed(distributed=ON).one("BucketLifecycleConfiguration", NAME).inputs["rules"]

    assert [one["expiration"].get("days") for one in rules] == [None, 30]


def test_its_executions_are_logged_without_their_input() -> None:
    seen = deployed(distributed=ON, function={"log_retention_days": 90})
    machine = seen.one("StateMachine", NAME)
    group = seen.one("LogGroup", f"{NAME}-machine").inputs
    logged = machine.inputs["loggingConfiguration"]

    assert (logged["level"], logged["includeExecutionData"]) == ("ALL", False)
    assert logged["logDestination"].endswith(":*")
    assert group["namePrefix"] == f"/aws/vendedlogs/states/{NAME}-"
    assert group["retentionInDays"] == 90
    # Step Functions tries the role when the machine is made.
    assert any(one.endswith(f"::{NAME}-machine-logs") for one in machine.depends_on)
    role = seen.one("Role", f"{NAME}-machine").document("assumeRolePolicy")["Statement"][0]
    pattern = role["Condition"]["ArnLike"]["aws:SourceArn"]
    assert MACHINE.startswith(pattern.removesuffix("*"))


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_arns_have_the_partition_of_the_ring(partition: str) -> None:
    regions = {"aws-cn": ("cn-north-1", "cn-northwest-1"), "aws-us-gov": ("us-gov-west-1",) * 2}
    one, other = regions[partition]
    members = [{"region": one}, {"region": other, "table": "orders-b"}]
    seen = deployed(distributed=ON, members=members, partition=partition)

    machine = seen.one("StateMachine", NAME).document("definition")
    reader = machine["States"]["Segments"]["ItemReader"]["Resource"]
    assert reader == f"arn:{partition}:states:::s3:getObject"
    for name in (NAME, f"{NAME}-machine"):
        assert {one.split(":")[1] for _, one in allowed(seen, name)} == {partition}


@pytest.mark.parametrize(
    "members", [TWO, ABROAD, apart(6), [*ABROAD, *apart(5)]], ids=["two", "abroad", "keys", "both"]
)
def test_the_predicted_policy_has_the_declared_ones_length(members: list[object]) -> None:
    sections: dict[str, Any] = {
        "members": members,
        "distributed": ON,
        "tombstones": {"retention_days": 9},
    }
    declared = deployed(**sections).one("RolePolicy", NAME).document("policy")
    settings = Settings.parse(config(**sections))
    known = members_of(settings)
    predicted = segments_policy_of(
        settings.distributed, settings.tombstones, known, known, known[0]
    )

    # The mocks generate shorter name suffixes than Pulumi; nothing else differs.
    assert sizes_of_all_but_names(predicted) == sizes_of_all_but_names(declared)


def sizes_of_all_but_names(document: Any) -> int:
    text = re.sub(r"-(0123456|a1b2c3|0{26})\b", "-", json.dumps(document))
    return len(text.replace("0" * 12, ACCOUNT))
