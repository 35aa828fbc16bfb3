"""A Pulumi program run in this process: what it declares becomes real, what fails is one error."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.clients import HOME_ACCOUNT, Accounts
from local.cloud.cloud import Cloud
from local.cloud.existing_tables import make_existing_tables
from local.cloud.program import DeployError, Deployment, run_program
from local.endpoint.server import LocalServer
from local.stack_config import StackConfig
from ring.settings.settings import Settings

TABLE = "aws:dynamodb/table:Table"
PRELUDE = """
import pulumi
import pulumi_aws as aws

provider = aws.Provider("there", region="eu-west-1")
there = pulumi.ResourceOptions(provider=provider)

def table(name, **more):
    return aws.dynamodb.Table(name, name=name, hash_key="id", billing_mode="PAY_PER_REQUEST",
        attributes=[{"name": "id", "type": "S"}], opts=there, **more)
"""


@pytest.fixture
def accounts() -> Iterator[Accounts]:
    with LocalServer() as server, Accounts(server.endpoint) as made:
        yield made


@pytest.fixture
def cloud(accounts: Accounts) -> Cloud:
    return Cloud(accounts)


def deploy(directory: Path, cloud: Cloud, code: str, **settings: object) -> Deployment:
    program = directory / "__main__.py"
    program.write_text(PRELUDE + textwrap.dedent(code))
    return run_program(program, StackConfig.of(settings, "test"), cloud)


def test_what_is_declared_is_there_when_the_program_is_done(
    tmp_path: Path, cloud: Cloud, accounts: Accounts
) -> None:
    deployment = deploy(tmp_path, cloud, "table('orders')")
    assert accounts.home.dynamodb("eu-west-1").list_tables()["TableNames"] == ["orders"]
    (resource,) = deployment.resources
    assert (resource.token, resource.name, resource.id) == (TABLE, "orders", "orders")
    assert deployment.of(TABLE) == [resource]
    assert resource.location.region == "eu-west-1"


def test_a_misspelt_argument_is_refused_as_the_provider_would(tmp_path: Path, cloud: Cloud) -> None:
    code = "table('orders', ttl={'attribute': 'expires', 'enabled': True})"
    with pytest.raises(DeployError, match=r"orders .*ttl.attribute: .*Did you mean"):
        deploy(tmp_path, cloud, code)


def test_exports_are_waited_for(tmp_path: Path, cloud: Cloud) -> None:
    outputs = deploy(
        tmp_path,
        cloud,
        """
        orders = table("orders", stream_enabled=True, stream_view_type="NEW_AND_OLD_IMAGES")
        account = aws.get_caller_identity_output(opts=pulumi.InvokeOptions(provider=provider))
        pulumi.export("stream", orders.stream_arn)
        pulumi.export("nested", [{"arn": orders.arn.apply(str.upper)}])
        pulumi.export("account", account.account_id)
        pulumi.export("stack", pulumi.get_stack())
        """,
    ).outputs
    assert outputs["stream"].startswith(f"arn:aws:dynamodb:eu-west-1:{HOME_ACCOUNT}:table/orders/")
    assert outputs["nested"][0]["arn"].endswith(":TABLE/ORDERS")
    assert (outputs["account"], outputs["stack"]) == (HOME_ACCOUNT, "test")


def test_the_program_reads_its_settings_as_pulumi_gives_them(tmp_path: Path, cloud: Cloud) -> None:
    outputs = deploy(
        tmp_path,
        cloud,
        """
        config = pulumi.Config("dynamodb-ring")
        pulumi.export("all", [config.get("text"), config.get_int("number"),
                              config.get_bool("on"), config.get_object("map")])
        """,
        text="x",
        number=7,
        on=True,
        map={"a": [1]},
    ).outputs
    assert outputs["all"] == ["x", 7, True, {"a": [1]}]


def test_the_program_imports_what_lies_beside_it(tmp_path: Path, cloud: Cloud) -> None:
    (tmp_path / "beside_the_program.py").write_text("ANSWER = 42")
    path = list(sys.path)
    outputs = deploy(
        tmp_path, cloud, "import beside_the_program; pulumi.export('a', beside_the_program.ANSWER)"
    ).outputs
    assert outputs["a"] == 42
    assert sys.path == path


def test_one_run_knows_nothing_of_another(tmp_path: Path, cloud: Cloud) -> None:
    deploy(tmp_path, cloud, "pulumi.export('first', 1)", text="x")
    outputs = deploy(
        tmp_path, cloud, "pulumi.export('second', pulumi.Config('dynamodb-ring').get('text') or 0)"
    ).outputs
    assert outputs == {"second": 0}


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("raise pulumi.RunError('the settings are wrong')", r"^the settings are wrong$"),
        ("raise KeyError('x')", r"^The program failed: KeyError: 'x'$"),
        ("syntax error", r"^The program failed: SyntaxError"),
        ("aws.sqs.Queue('q', opts=there)", r"^q: .*resources of type aws:sqs/queue:Queue"),
        ("table('orders'); table('more', read_capacity=1).arn.apply(lambda _: 1 / 0)", "division"),
        ("aws.iam.Role('r', assume_role_policy='{}')", r"^r: no aws.Provider given"),
        (
            "aws.get_regions_output(opts=pulumi.InvokeOptions(provider=provider))",
            "does not support the function aws:index/getRegions",
        ),
    ],
)
def test_whatever_goes_wrong_is_one_error_that_says_so(
    tmp_path: Path, cloud: Cloud, program: str, message: str
) -> None:
    with pytest.raises(DeployError, match=message):
        deploy(tmp_path, cloud, program)


ADOPTED = "arn:aws:dynamodb:eu-west-1:111122223333:table/legacy/stream/2024-05-01T09:30:00.000"


def settings(**more: object) -> Settings:
    return Settings.parse(
        {
            "table": {
                "name": "orders",
                "partition_key": {"name": "customer", "type": "S"},
                "sort_key": {"name": "order", "type": "N"},
            },
            **more,
        }
    )


def names(accounts: Accounts, region: str, account: str = HOME_ACCOUNT) -> list[str]:
    return accounts.clients(account).dynamodb(region).list_tables()["TableNames"]


def test_an_adopted_table_is_made_first_and_its_stream_stands_for_the_one_given(
    cloud: Cloud, accounts: Accounts
) -> None:
    members = [{"region": "us-east-1"}, {"region": "eu-west-1", "stream_arn": ADOPTED}]
    streams = make_existing_tables(settings(members=members), cloud)
    assert names(accounts, "us-east-1") == []
    assert names(accounts, "eu-west-1") == ["legacy"]
    described = accounts.home.dynamodb("eu-west-1").describe_table(TableName="legacy")["Table"]
    assert streams == {ADOPTED: described["LatestStreamArn"]}
    assert [key["AttributeName"] for key in described["KeySchema"]] == ["customer", "order"]


def test_a_table_in_another_account_is_made_in_that_account(
    cloud: Cloud, accounts: Accounts
) -> None:
    role = "arn:aws:iam::111122223333:role/deploys"
    members = [
        {"region": "us-east-1"},
        {"region": "eu-west-1", "stream_arn": ADOPTED, "role": role},
    ]
    make_existing_tables(settings(members=members), cloud)
    assert names(accounts, "eu-west-1") == []
    assert names(accounts, "eu-west-1", "111122223333") == ["legacy"]


def test_the_target_of_a_single_hop_is_made_with_its_tombstones(
    cloud: Cloud, accounts: Accounts
) -> None:
    regions = ("us-east-1", "eu-west-1", "ap-southeast-2")
    members = [{"region": region} for region in regions]
    make_existing_tables(settings(members=members, hops=["us-east-1"]), cloud)
    assert [names(accounts, region) for region in regions] == [
        [],
        ["orders", "orders-tombstones"],
        [],
    ]
    make_existing_tables(
        settings(members=members, hops=["eu-west-1"], tombstones={"enabled": False}), cloud
    )
    assert names(accounts, "ap-southeast-2") == ["orders"]
