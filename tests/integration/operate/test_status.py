"""A ring as AWS sees it: sound, and with each thing that can be the matter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.exceptions import EndpointConnectionError

from local.clients import FAKE_CREDENTIALS, Accounts
from local.cloud.cloud import Cloud
from local.cloud.program import run_program
from local.endpoint.server import LocalServer
from local.stack_config import StackConfig
from operate.aws.clients import ClientPool
from operate.deployed import Credentials, Deployed, DeployedHop, DeployedMember, TableShape
from operate.errors import PrerequisiteError
from operate.monitoring import status as monitoring
from ring.project import PROJECT_ROOT
from tests.support.deployments import TABLE
from tests.support.store_backends import answering, hearing

PROGRAM = PROJECT_ROOT / "__main__.py"
CONFIG = {"table": TABLE, "members": [{"region": "us-east-1"}, {"region": "eu-west-1"}]}
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
status = partial(monitoring.status, command="`automate.py {}`".format)


@pytest.fixture(scope="module")
def ring() -> Iterator[tuple[str, Deployed]]:
    """An AWS with a ring, for all tests of this file: each leaves it as it found it."""
    with LocalServer() as server, Accounts(server.endpoint) as accounts:
        outputs = run_program(PROGRAM, StackConfig.of(CONFIG), Cloud(accounts)).outputs
        members = [_member(one) for one in outputs["members"]]
        yield server.endpoint, Deployed(members, [DeployedHop(**one) for one in outputs["hops"]])


@pytest.fixture
def deployed(
    ring: tuple[str, Deployed], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Deployed:
    """The ring, in the AWS that every SDK in this process is led to."""
    endpoint, deployed = ring
    settings = {
        **FAKE_CREDENTIALS,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return deployed


@pytest.fixture(scope="module")
def clients() -> ClientPool:
    """Made once: that takes longer than asking."""
    return ClientPool()


def _member(shown: dict[str, Any]) -> DeployedMember:
    names = ("name", "region", "table", "stream_arn", "tombstones")
    return DeployedMember(**{name: shown[name] for name in names}, created=TableShape({}, {}))


def client(service: str, region: str = "us-east-1") -> Any:
    make: Any = boto3.client
    return make(service, region_name=region)


def with_first(deployed: Deployed, **changes: Any) -> Deployed:
    """The same, with something else deployed as the first member."""
    first, second = deployed.members
    return Deployed([replace(first, **changes), second], deployed.hops)


def test_a_sound_ring_has_no_trouble(deployed: Deployed, clients: ClientPool) -> None:
    seen = status(deployed, clients)
    assert seen.problems == ()
    assert [(one.name, one.state, one.stream, one.tombstones) for one in seen.members] == [
        ("us-east-1", "ACTIVE", "NEW_AND_OLD_IMAGES", "ACTIVE"),
        ("eu-west-1", "ACTIVE", "NEW_AND_OLD_IMAGES", "ACTIVE"),
    ]
    assert [(one.source, one.target, one.mapping, one.quarantined) for one in seen.hops] == [
        ("us-east-1", "eu-west-1", "Enabled", 0),
        ("eu-west-1", "us-east-1", "Enabled", 0),
    ]
    assert [one.iterator_age for one in seen.hops] == [None, None]


def test_the_iterator_age_is_that_of_the_latest_minute_in_seconds(
    deployed: Deployed, clients: ClientPool
) -> None:
    function = str(deployed.hops[0].function).rpartition(":")[2]
    for minutes, age in ((20, 9_000_000), (5, 2500), (9, 7000)):
        client("cloudwatch").put_metric_data(
            Namespace="AWS/Lambda",
            MetricData=[
                {
                    "MetricName": "IteratorAge",
                    "Dimensions": [{"Name": "FunctionName", "Value": function}],
                    "Timestamp": NOW - timedelta(minutes=minutes),
                    "Value": age,
                    "Unit": "Milliseconds",
                }
            ],
        )
    assert [one.iterator_age for one in status(deployed, clients, now=lambda: NOW).hops] == [
        2.5,
        None,
    ]


def test_a_stream_that_is_off_is_reported(deployed: Deployed, clients: ClientPool) -> None:
    problems = status(with_first(deployed, table="orders-tombstones"), clients).problems
    assert "us-east-1: the stream of orders-tombstones is off" in problems[0]


def test_a_stream_that_was_switched_off_and_on_is_reported(
    deployed: Deployed, clients: ClientPool
) -> None:
    before = str(deployed.members[0].stream_arn).replace("2026-", "2025-")
    (trouble,) = status(with_first(deployed, stream_arn=before), clients).problems
    assert "was switched off and on" in trouble
    assert before in trouble


def test_a_table_that_is_gone_is_reported_and_the_rest_is_seen(
    deployed: Deployed, clients: ClientPool
) -> None:
    seen = status(with_first(deployed, tombstones="gone"), clients)
    assert seen.problems == ("us-east-1: gone does not exist",)
    assert seen.members[1].tombstones == "ACTIVE"


def test_a_mapping_that_is_disabled_is_reported(deployed: Deployed, clients: ClientPool) -> None:
    functions = client("lambda")
    functions.update_event_source_mapping(UUID=deployed.hops[0].mapping, Enabled=False)
    seen = status(deployed, clients)
    functions.update_event_source_mapping(UUID=deployed.hops[0].mapping, Enabled=True)
    assert seen.hops[0].mapping == "Disabled"
    trouble = seen.problems[0]
    assert "the hop from us-east-1 to eu-west-1: its event source mapping is Disabled" in trouble
    assert "if the settings say `paused`, run `automate.py resume us-east-1`" in trouble
    uuid = deployed.hops[0].mapping
    command = f"update-event-source-mapping --uuid {uuid} --region us-east-1 --enabled"
    assert command in trouble
    # The runbook says the same of it.
    runbook = " ".join((PROJECT_ROOT / "docs" / "how-to" / "troubleshoot.md").read_text().split())
    for remedy in ("automate.py resume", "update-event-source-mapping --uuid"):
        assert remedy in runbook
    assert command.replace(str(uuid), "...").replace("us-east-1", "...") in runbook


def test_a_batch_that_failed_is_reported(
    deployed: Deployed, clients: ClientPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = {"State": "Enabled", "LastProcessingResult": "PROBLEM: Function call failed"}
    monkeypatch.setattr(
        "operate.monitoring.status._mapping", lambda *_: answer
    )  # moto never has a result
    seen = status(deployed, clients)
    assert seen.hops[0].last_result == "PROBLEM: Function call failed"
    assert "the last batch ended with: PROBLEM" in seen.problems[0]


def test_records_in_quarantine_are_reported(deployed: Deployed, clients: ClientPool) -> None:
    bucket = {"Bucket": deployed.hops[0].quarantine, "Key": "lost"}
    client("s3").put_object(**bucket, Body=b"{}")
    seen = status(deployed, clients)
    client("s3").delete_object(**bucket)
    assert seen.hops[0].quarantined == 1
    assert "1 object in the quarantine" in seen.problems[0]


def set_alarm(hop: DeployedHop, slug: str, state: str) -> str:
    """Set the state of an alarm of a hop, as nothing in moto does; return its name."""
    region = hop.source
    (name,) = [
        one["AlarmName"]
        for one in client("cloudwatch", region).describe_alarms()["MetricAlarms"]
        if f"{hop.source}-to-{hop.target}-{slug}" in one["AlarmName"]
        or f"ring-{hop.source}-{slug}" in one["AlarmName"]
    ]
    client("cloudwatch", region).set_alarm_state(
        AlarmName=name, StateValue=state, StateReason="a test says so"
    )
    return str(name)


@pytest.mark.parametrize("slug", ["lags", "at-fault", "quarantined", "silent", "quarantine-kept"])
def test_an_alarm_that_rings_is_named_with_what_it_means(
    deployed: Deployed, clients: ClientPool, slug: str
) -> None:
    _, second = deployed.hops
    name = set_alarm(second, slug, "ALARM")
    seen = status(deployed, clients)
    set_alarm(second, slug, "OK")
    assert [hop.alarms for hop in seen.hops] == [(), (name,)]
    (trouble,) = seen.problems
    assert f"the hop from eu-west-1 to us-east-1: {name} is in ALARM since 20" in trouble
    assert "docs/how-to/troubleshoot.md: " in trouble
    assert status(deployed, clients).problems == ()


def test_an_alarm_of_somebody_elses_is_none_of_the_rings(
    deployed: Deployed, clients: ClientPool
) -> None:
    watching = {"Namespace": "AWS/Lambda", "MetricName": "Errors", "Statistic": "Sum"}
    client("cloudwatch").put_metric_alarm(
        AlarmName="others",
        Dimensions=[{"Name": "FunctionName", "Value": "others"}],
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        **watching,
    )
    client("cloudwatch").set_alarm_state(
        AlarmName="others", StateValue="ALARM", StateReason="a test says so"
    )
    seen = status(deployed, clients)
    client("cloudwatch").delete_alarms(AlarmNames=["others"])
    assert [hop.alarms for hop in seen.hops] == [(), ()]


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException"])
def test_who_may_not_see_alarms_is_shown_so_and_all_else(
    deployed: Deployed, clients: ClientPool, code: str
) -> None:
    there = clients.get(Credentials(), "us-east-1", "cloudwatch", brief=True)
    with hearing(there, "before-call.cloudwatch.DescribeAlarms", lambda **_: answering(code)):
        seen = status(deployed, clients)
    assert seen.problems == ()
    assert [hop.alarms for hop in seen.hops] == [None, ()]
    (note,) = seen.notes
    assert note.startswith("the hop from us-east-1 to eu-west-1: its alarms cannot be read")
    assert code in note


def test_alarms_that_cannot_be_asked_for_are_trouble(
    deployed: Deployed, clients: ClientPool
) -> None:
    there = clients.get(Credentials(), "us-east-1", "cloudwatch", brief=True)
    with hearing(there, "before-call.cloudwatch.DescribeAlarms", lambda **_: answering("Nope")):
        seen = status(deployed, clients)
    assert "its alarms cannot be read: Nope" in seen.problems[0]


def test_a_hop_that_was_not_finished_is_reported(deployed: Deployed, clients: ClientPool) -> None:
    half = Deployed(deployed.members, [DeployedHop("us-east-1", "eu-west-1")])
    assert "it was not deployed completely" in status(half, clients).problems[0]


def test_a_member_in_another_account_is_asked_about_there(
    deployed: Deployed, clients: ClientPool
) -> None:
    there = Credentials(role="arn:aws:iam::210987654321:role/deploys", external_id="ring-2f7c")
    # In that account of moto's there is nothing: had it been asked as itself, the table would be.
    assert (
        "us-east-1: orders does not exist"
        in status(with_first(deployed, credentials=there), clients).problems
    )


def test_a_role_is_taken_where_it_is_used_so_that_a_lost_region_keeps_nobody_from_others(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = set()

    def take(_role: str, make: Any, *_: Any) -> botocore.session.Session:
        taken.add(make.keywords["region_name"])
        return botocore.session.Session()

    monkeypatch.setattr("operate.aws.clients.assume_role_session", take)
    there = Credentials(role="arn:aws:iam::210987654321:role/deploys")
    clients = ClientPool()
    for region in ("eu-west-1", "us-east-1"):
        clients.get(there, region, "dynamodb")
    assert taken == {"eu-west-1", "us-east-1"}


def test_a_region_that_does_not_answer_is_waited_for_once(
    deployed: Deployed, clients: ClientPool
) -> None:
    """Each request to it waits some seconds; `status` is the command of that hour."""
    there = clients.get(Credentials(), "eu-west-1", "dynamodb", brief=True)
    assert there.meta.config.connect_timeout < 5
    asked: list[str] = []

    def lost(**more: Any) -> None:
        asked.append(more["params"]["url"])
        raise EndpointConnectionError(endpoint_url="https://eu-west-1")

    with hearing(there, "before-call.dynamodb.DescribeTable", lost):
        seen = status(deployed, clients)
    assert len(asked) == 1
    assert seen.problems == (
        "eu-west-1: eu-west-1 does not answer: Could not connect to the endpoint URL: "
        '"https://eu-west-1". If it is lost, `automate.py bypass eu-west-1` closes the ring around '
        "it",
    )


def test_without_credentials_that_is_what_is_missing(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in FAKE_CREDENTIALS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(PrerequisiteError, match="Unable to locate credentials"):
        status(deployed, ClientPool())
