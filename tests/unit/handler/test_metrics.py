"""The lines that a function logs of a batch, and the metrics that CloudWatch makes of them."""

from typing import Any

import pytest

from handler.batch import BatchReport, Failure
from handler.errors import FailureKind
from handler.metrics import MAX_VALUES_PER_METRIC, BatchReporter
from handler.model.image import SOURCE_REGION, SOURCE_TABLE, VERSION
from handler.protocol.hop import Action, Conflict, Outcome
from handler.retry import RetryBudget
from tests.support.stream_records import NOON, version

KEY = {"k": {"S": "1"}}
HOP = "us-east-1/orders -> eu-west-1/orders"


def lines(report: BatchReport, *, items: bool = False, records: int = 0) -> list[dict[str, Any]]:
    patience = RetryBudget(lambda: 60.0, lambda _: False, reserve_seconds=9.0, max_concurrency=1)
    return list(BatchReporter(HOP, items).log_lines(records, report, patience, NOON + 0.25))


def test_every_number_of_a_batch_is_a_metric_of_its_hop() -> None:
    report = BatchReport()
    report.add(Outcome(Action.REPLICATED, written_at=NOON - 3), NOON)
    report.add(Outcome(Action.LAP_COMPLETED, written_at=NOON - 7), NOON)
    (line,) = lines(report, records=2)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert line["_aws"]["Timestamp"] == NOON * 1000 + 250
    assert (directive["Namespace"], directive["Dimensions"]) == ("DynamoDBRing", [["hop"]])
    named = {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}
    assert set(named) == set(line) - {"event", "hop", "_aws"}
    assert (line["lag"], line["lap"]) == ([3.0], [7.0])
    assert (named["lag"], named["store_ms"], named["records"]) == (
        "Seconds",
        "Milliseconds",
        "Count",
    )


def test_a_batch_that_replicated_nothing_has_no_lag() -> None:
    (line,) = lines(BatchReport())
    assert "lag" not in line
    metrics = line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    assert "lag" not in {metric["Name"] for metric in metrics}


def test_a_clock_that_is_behind_makes_no_lag_below_zero() -> None:
    report = BatchReport()
    report.add(Outcome(Action.REPLICATED, written_at=NOON + 30), NOON)
    assert lines(report)[0]["lag"] == [0.0]


@pytest.mark.parametrize("number", [99, 100, 101, 10_000])
def test_of_many_lags_as_many_are_logged_as_may_be_the_least_and_the_greatest_among_them(
    number: int,
) -> None:
    report = BatchReport(lags=[float(lag) for lag in range(number)])
    lags = lines(report)[0]["lag"]
    assert len(lags) == min(number, MAX_VALUES_PER_METRIC)
    assert (lags[0], lags[-1]) == (0.0, number - 1.0)
    assert lags[len(lags) // 2] == pytest.approx(number / 2, abs=number / 50)


def conflict() -> BatchReport:
    origin = {SOURCE_REGION: {"S": "ap-southeast-2"}, SOURCE_TABLE: {"S": "orders-apac"}}
    winner = {**KEY, "v": {"S": "won"}, VERSION: {"B": version(600)}, **origin}
    loser = {**KEY, "v": {"S": "lost"}, **origin, SOURCE_REGION: {"S": "us-east-1"}}
    one = Conflict(KEY, version(600), version(500), winner, loser)
    return BatchReport(conflicts=[one])


def test_a_conflict_is_logged_with_its_key_and_both_versions_and_origins() -> None:
    line = lines(conflict())[0]
    assert line == {
        "event": "conflict",
        "hop": HOP,
        "key": KEY,
        "won": str(version(600)),
        "won_origin": "ap-southeast-2/orders-apac",
        "won_deleted": False,
        "lost": str(version(500)),
        "lost_origin": "us-east-1/orders-apac",
        "lost_deleted": False,
    }


def test_what_is_in_the_items_of_a_conflict_is_logged_only_where_it_is_asked_for() -> None:
    line = lines(conflict(), items=True)[0]
    assert line["won_item"] == {**KEY, "v": {"S": "won"}}
    assert line["lost_item"] == {**KEY, "v": {"S": "lost"}}


def test_a_winner_that_nobody_stamped_has_no_origin() -> None:
    report = BatchReport(conflicts=[Conflict(KEY, None, version(), None, KEY)])
    line = lines(report, items=True)[0]
    assert (line["won"], line["won_origin"], line["won_item"]) == (None, None, None)


def test_an_outage_is_logged_in_one_line_not_in_one_for_each_key() -> None:
    report = BatchReport(
        failures=[
            Failure(str(one), ConnectionResetError("gone"), FailureKind.TRANSIENT)
            for one in range(9)
        ]
    )
    failure, batch = lines(report)
    assert (failure["keys"], failure["record"], failure["kind"]) == (9, "0", "transient")
    assert failure["error"] == "ConnectionResetError: gone"
    assert (batch["failures"], batch["faults"]) == (9, 0)
