"""Each type of resource that a program may declare, made and then looked at through AWS's API."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest

from local.clients import HOME_ACCOUNT
from local.cloud.cloud import FUNCTIONS, Cloud, CloudError
from local.cloud.resources import RESOURCE_TYPES, Location
from local.cloud.resources.archive import ArchiveError, zip_archive
from tests.support.cloud_inputs import TABLE, TRUST, table


def test_what_has_no_name_is_named_after_what_the_program_calls_it(
    cloud: Cloud, ireland: Location
) -> None:
    unnamed = {"assumeRolePolicy": TRUST}
    made, outputs = cloud.create("aws:iam/role:Role", "ring-eu", unnamed, ireland)
    assert re.fullmatch("ring-eu-[0-9a-f]{7}", made)
    assert outputs["name"] == made


def test_a_prefix_is_completed_as_the_provider_completes_it(
    cloud: Cloud, ireland: Location
) -> None:
    made, _ = cloud.create("aws:s3/bucket:Bucket", "b", {"bucketPrefix": "lost-x-"}, ireland)
    assert re.fullmatch("lost-x-[0-9a-f]{26}", made)


def test_a_type_that_is_not_known_is_named(cloud: Cloud, ireland: Location) -> None:
    with pytest.raises(CloudError, match=r"^q: .* does not support .* aws:none/none:None"):
        cloud.create("aws:none/none:None", "q", {}, ireland)
    with pytest.raises(CloudError, match="does not support the function aws:index/getAmi:getAmi"):
        cloud.call("aws:index/getAmi:getAmi", {}, ireland)


def test_what_aws_refuses_is_reported_with_the_name_of_the_resource(
    cloud: Cloud, ireland: Location
) -> None:
    cloud.create(TABLE, "first", table("taken"), ireland)
    with pytest.raises(CloudError, match=r"^second \(aws:dynamodb.*ResourceInUse"):
        cloud.create(TABLE, "second", table("taken"), ireland)


@pytest.mark.parametrize(
    ("provider", "account"),
    [
        ({}, HOME_ACCOUNT),
        ({"profile": "p"}, HOME_ACCOUNT),
        ({"allowedAccountIds": '["210987654321"]'}, HOME_ACCOUNT),
        ({"profile": "p", "allowedAccountIds": '["210987654321"]'}, "210987654321"),
        (
            {"assumeRoles": '[{"roleArn": "arn:aws:iam::310987654321:role/r"}]'},
            "310987654321",
        ),
    ],
)
def test_a_provider_leads_to_an_account(
    cloud: Cloud, provider: Mapping[str, str], account: str
) -> None:
    place = cloud.location({"region": "eu-west-1", **provider})
    assert place.account == account
    identity = cloud.call("aws:index/getCallerIdentity:getCallerIdentity", {}, place)
    assert identity["accountId"] == account


@pytest.mark.parametrize(
    ("region", "partition", "suffix"),
    [
        ("eu-west-1", "aws", "amazonaws.com"),
        ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
        ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
    ],
)
def test_the_region_determines_the_partition(
    cloud: Cloud, region: str, partition: str, suffix: str
) -> None:
    place = cloud.location({"region": region})
    partition_of = cloud.call("aws:index/getPartition:getPartition", {}, place)
    assert (partition_of["partition"], partition_of["dnsSuffix"]) == (partition, suffix)
    assert cloud.call("aws:index/getRegion:getRegion", {}, place)["region"] == region
    _, outputs = cloud.create(TABLE, "t", table("somewhere"), place)
    assert outputs["arn"].startswith(f"arn:{partition}:dynamodb:{region}:")


def test_a_table_that_somebody_else_has_made_is_described(cloud: Cloud) -> None:
    place = cloud.location({"region": "eu-west-1"})
    cloud.create(TABLE, "t", {**table("theirs"), "streamEnabled": False}, place)
    found = cloud.call("aws:dynamodb/getTable:getTable", {"name": "theirs"}, place)
    assert (found["name"], found["streamEnabled"], found["streamArn"]) == ("theirs", False, "")
    with pytest.raises(CloudError, match=r"nobodys.* there is no such table"):
        cloud.call("aws:dynamodb/getTable:getTable", {"name": "nobodys"}, place)


def test_an_archive_has_what_is_declared_and_is_the_same_each_time(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("print('hello')\n")
    declared: dict[str, Any] = {
        "b/text.txt": pulumi.StringAsset("text"),
        "a/app.py": pulumi.FileAsset(tmp_path / "app.py"),
    }
    packed = zip_archive(pulumi.AssetArchive(declared))
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.namelist() == ["a/app.py", "b/text.txt"]
        assert archive.read("a/app.py") == b"print('hello')\n"
    (tmp_path / "app.py").touch()
    assert zip_archive(pulumi.AssetArchive(dict(reversed(declared.items())))) == packed


def test_an_archive_that_cannot_be_packed_says_why(tmp_path: Path) -> None:
    missing: Any = {"app.py": pulumi.FileAsset(tmp_path / "gone.py")}
    with pytest.raises(ArchiveError, match=r"app.py cannot be read: .*gone.py"):
        zip_archive(pulumi.AssetArchive(missing))
    nested: Any = {"x": pulumi.FileArchive(str(tmp_path))}
    with pytest.raises(ArchiveError, match="x is a FileArchive"):
        zip_archive(pulumi.AssetArchive(nested))
    with pytest.raises(ArchiveError, match="code is a FileArchive"):
        zip_archive(pulumi.FileArchive(str(tmp_path)))


def test_every_entry_is_tried_here() -> None:
    """Whoever adds an entry adds a test."""
    here = Path(__file__).parent
    tests = "".join(one.read_text() for one in here.glob("test_*.py"))
    assert [token for token in (*RESOURCE_TYPES, *FUNCTIONS) if f'"{token}"' not in tests] == []
