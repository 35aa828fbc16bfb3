"""How far behind a hop is, by what Lambda and CloudWatch say of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from operate.aws.clients import ClientPool
from operate.deployed import Deployed, DeployedHop, DeployedMember
from operate.membership.catch_up import HopProgress, Progress, hop_progress, hops_to_wait_for
from operate.membership.outage import last_delivery

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
HERE = DeployedMember("here", "us-east-1", "orders")
THERE = DeployedMember("there", "eu-west-1", "orders-eu")
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:hop"
HOP = DeployedHop("here", "there", FUNCTION, "a-mapping", "a-bucket")
DEPLOYED = Deployed([HERE, THERE], [HOP])


class Aws(ClientPool):
    """AWS with canned responses; metrics by name, as values of some minutes ago."""

    def __init__(self) -> None:
        super().__init__()
        self.mapping: dict[str, Any] = {"State": "Enabled", "LastModified": ago(60)}
        self.metrics: dict[str, list[tuple[float, float]]] = {}
        self.asked: set[tuple[str, str]] = set()

    def get(self, credentials: Any, region: str, service: str, *, brief: bool = False) -> Any:
        assert region == "us-east-1"
        return self

    def get_event_source_mapping(self, **named: str) -> dict[str, Any]:
        assert named == {"UUID": "a-mapping"}
        return self.mapping

    def get_metric_statistics(self, **query: Any) -> dict[str, Any]:
        (dimension,) = query["Dimensions"]
        self.asked.add((dimension["Name"], dimension["Value"]))
        (statistic,) = query["Statistics"]
        points = [
            {"Timestamp": ago(minutes), statistic: value}
            for minutes, value in self.metrics.get(query["MetricName"], [])
            if query["StartTime"] <= ago(minutes) < query["EndTime"]
        ]
        return {"Datapoints": points}


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


@pytest.fixture
def aws() -> Aws:
    return Aws()


def progress(aws: Aws) -> HopProgress:
    return hop_progress(DEPLOYED, HOP, aws, NOW)


def test_a_hop_whose_records_are_young_keeps_up(aws: Aws) -> None:
    aws.metrics["IteratorAge"] = [(3, 900), (1, 400), (2, 5_000)]
    assert progress(aws) == HopProgress("here", "there", True, 0.4, "keeps up")
    assert aws.asked == {
        ("FunctionName", "hop"),
        ("hop", "us-east-1/orders -> eu-west-1/orders-eu"),
    }


def test_a_hop_whose_records_are_old_catches_up(aws: Aws) -> None:
    aws.metrics["IteratorAge"] = [(9, 3_600_000), (1, 61_000)]
    assert progress(aws) == HopProgress("here", "there", False, 61.0, "catches up")


def test_a_batching_window_makes_records_older_and_no_hop_late(aws: Aws) -> None:
    aws.metrics["IteratorAge"] = [(1, 300_000)]
    assert not progress(aws).is_done
    aws.mapping["MaximumBatchingWindowInSeconds"] = 300
    assert progress(aws).is_done


@pytest.mark.parametrize("metric", ["Errors", "failures"])
def test_a_hop_that_fails_is_not_through_however_young_its_records(aws: Aws, metric: str) -> None:
    aws.metrics |= {"IteratorAge": [(1, 400)], metric: [(4, 1)]}
    assert not progress(aws).is_done
    aws.metrics[metric] = [(11, 1)]
    assert progress(aws).is_done


def test_a_hop_that_is_given_nothing_has_sent_all(aws: Aws) -> None:
    # The newest record of its stream was two hours old.
    aws.metrics["IteratorAge"] = [(12, 7_200_000)]
    assert progress(aws) == HopProgress("here", "there", True, None, "has no new records")


def test_a_mapping_that_has_just_begun_may_not_have_looked_yet(aws: Aws) -> None:
    aws.mapping["LastModified"] = ago(9)
    assert not progress(aws).is_done
    aws.mapping["LastModified"] = ago(11)
    assert progress(aws).is_done


def test_a_disabled_mapping_shows_nothing(aws: Aws) -> None:
    aws.mapping["State"] = "Disabled"
    assert progress(aws).words == "its mapping is Disabled"


@pytest.mark.parametrize(
    "problem",
    [
        "PROBLEM: Cannot access stream arn:aws:dynamodb:us-east-1:123456789012:table/orders",
        "PROBLEM: Lambda was throttled",
        "PROBLEM: Function call failed",
    ],
)
def test_a_mapping_with_a_problem_has_not_sent_all_although_no_batch_failed(
    aws: Aws, problem: str
) -> None:
    aws.mapping["LastProcessingResult"] = problem
    assert not progress(aws).is_done
    assert progress(aws).words == f"fails; its last batch ended with: {problem}"
    # An old age must not say that it moves.
    aws.metrics["IteratorAge"] = [(9, 3_600_000)]
    assert problem in progress(aws).words


@pytest.mark.parametrize("result", ["OK", "No records processed", "", None])
def test_a_mapping_without_a_problem_has_sent_all(aws: Aws, result: str | None) -> None:
    aws.mapping["LastProcessingResult"] = result
    assert progress(aws).is_done


def test_the_hops_of_the_streams_that_feed_a_member_and_its_own_have_to_catch_up() -> None:
    ends = [("a", "b"), ("a", "c"), ("b", "c"), ("c", "d"), ("d", "a")]
    deployed = Deployed([], [DeployedHop(*pair) for pair in ends])
    assert [(hop.source, hop.target) for hop in hops_to_wait_for(deployed, "b")] == ends[:3]


def test_a_hop_of_another_member_that_is_still_held_is_not_waited_for() -> None:
    ends = [("a", "c"), ("a", "d"), ("b", "c"), ("c", "d"), ("d", "a")]
    hops = [DeployedHop(*pair) for pair in ends]
    members = [DeployedMember(name, "eu-west-1", name) for name in "abcd"]
    deployed = Deployed(members, hops, held={"b"})
    watched = [(hop.source, hop.target) for hop in hops_to_wait_for(deployed, "c")]
    assert watched == [("a", "c"), ("a", "d"), ("c", "d")]


def test_the_time_left_is_estimated_by_how_the_age_goes_down() -> None:
    times = iter([0.0, 0.0, 10.0, 10.0])
    progress = Progress(lambda: next(times))
    assert progress.remaining([HopProgress("a", "b", False, 300.0, "")]) is None
    assert progress.remaining([HopProgress("a", "b", False, 200.0, "")]) == timedelta(seconds=20)
    assert progress.remaining([HopProgress("a", "b", True, 1.0, "")]) is None


def test_the_last_delivery_is_the_last_time_in_which_the_target_answered(aws: Aws) -> None:
    aws.metrics = {"replicated": [(90, 5), (30, 0)], "refused": [(75, 1)], "laps": [(15, 9)]}
    assert last_delivery(DEPLOYED, ("here", "there"), aws, NOW) == ago(75)
    aws.metrics = {"laps": [(15, 9)]}
    assert last_delivery(DEPLOYED, ("here", "there"), aws, NOW) is None


def test_where_aws_does_not_answer_a_hop_has_not_caught_up(aws: Aws) -> None:
    def refuse(**_: str) -> Any:
        raise EndpointConnectionError(endpoint_url="https://lambda.us-east-1.amazonaws.com")

    aws.get_event_source_mapping = refuse  # type: ignore[method-assign]
    assert not progress(aws).is_done
    assert progress(aws).words.startswith("is unknown: ")
