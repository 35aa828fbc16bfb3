"""The dashboards as they are declared: what is on them, and where."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest

from ring.hop_metrics import NAMESPACE
from tests.support.emitted_metrics import AWS, handler_metrics
from tests.support.pulumi_mocks import ABROAD, ACCOUNT, CHINA, OUT, TWO, Watching, deployed

REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-2", "sa-east-1", "ca-central-1")
RINGS: dict[str, dict[str, Any]] = {
    "two": {},
    "five": {"members": [{"region": region} for region in REGIONS]},
    "one that rejoins": {"members": [*TWO, {"region": "sa-east-1", "state": "rejoining"}]},
    "one hop": {"hops": ["us-east-1"]},
}


def body(seen: Watching, name: str = "ring-us-east-1") -> dict[str, Any]:
    document: dict[str, Any] = seen.one("Dashboard", name).document("dashboardBody")
    return document


def widgets(document: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [widget for widget in document["widgets"] if widget["type"] == kind]


def graphs(document: dict[str, Any]) -> dict[str, list[Any]]:
    """Return the metrics of all graphs, by the beginning of the graphs' titles."""
    found: dict[str, list[Any]] = {}
    for widget in widgets(document, "metric"):
        title = widget["properties"]["title"].partition(":")[0]
        found.setdefault(title, []).extend(widget["properties"]["metrics"])
    return found


@pytest.mark.parametrize("sections", RINGS.values(), ids=RINGS.keys())
def test_no_widget_lies_on_another_or_beyond_the_24_columns(sections: dict[str, Any]) -> None:
    taken: set[tuple[int, int]] = set()
    for widget in body(deployed(**sections))["widgets"]:
        across = range(widget["x"], widget["x"] + widget["width"])
        down = range(widget["y"], widget["y"] + widget["height"])
        fields = set(itertools.product(across, down))
        assert fields
        assert not fields & taken
        assert across[-1] < 24
        taken |= fields
    assert len(taken) == 24 * (1 + max(y for _, y in taken))  # and there is no hole


@pytest.mark.parametrize("sections", RINGS.values(), ids=RINGS.keys())
def test_every_graph_uses_metrics_that_exist(sections: dict[str, Any]) -> None:
    document = body(deployed(**sections))
    for widget in widgets(document, "metric"):
        for *name, options in widget["properties"]["metrics"]:
            if not name:
                assert "age" in options["expression"]
            elif name[0] == NAMESPACE:
                assert name[1] in handler_metrics()
                assert name[2] == "hop"
            else:
                assert name[1] in AWS[name[0], *name[2::2]]


def test_lag_and_conflicts_of_all_hops_are_on_top() -> None:
    document = body(deployed(members=[{"region": region} for region in REGIONS[:3]]))
    top = [widget for widget in widgets(document, "metric") if widget["y"] == 2]
    assert [widget["properties"]["title"].partition(" ")[0] for widget in top] == [
        "Lag",
        "Round",
        "Conflicts",
    ]
    for widget in top:
        hops = [(metric[3], metric[4]["region"]) for metric in widget["properties"]["metrics"]]
        assert hops == [
            ("us-east-1/orders -> eu-west-1/orders", "us-east-1"),
            ("eu-west-1/orders -> ap-southeast-2/orders", "eu-west-1"),
            ("ap-southeast-2/orders -> us-east-1/orders", "ap-southeast-2"),
        ]


def test_each_hop_has_its_alarms_above_its_graphs_in_its_sources_region() -> None:
    document = body(deployed())
    alarms = widgets(document, "alarm")
    assert [widget["properties"]["title"] for widget in alarms] == [
        "Alarms: us-east-1 -> eu-west-1",
        "Alarms: eu-west-1 -> us-east-1",
    ]
    for widget, region in zip(alarms, ("us-east-1", "eu-west-1"), strict=True):
        arns = widget["properties"]["alarms"]
        assert len(set(arns)) == 8
        assert all(arn.startswith(f"arn:aws:cloudwatch:{region}:{ACCOUNT}:") for arn in arns)
        below = [
            one for one in widgets(document, "metric") if one["y"] == widget["y"] + widget["height"]
        ]
        assert [one["properties"]["title"].partition(":")[0] for one in below] == [
            "Records",
            "Lag",
            "Failures",
        ]
        assert {one["properties"]["region"] for one in below} == {region}


def test_lambdas_metrics_are_of_the_hops_own_function() -> None:
    errors, _ = [metric for metric in graphs(body(deployed()))["Failures"] if metric[1] == "Errors"]
    assert errors[:4] == ["AWS/Lambda", "Errors", "FunctionName", f"{OUT}-a1b2c3"]


def test_the_lag_graph_names_the_alarms_threshold() -> None:
    lag = graphs(body(deployed(monitoring={"iterator_age": 77})))["Lag"]
    assert any(metric[-1]["label"] == "iterator age (alarm above 77 s)" for metric in lag)


@pytest.mark.parametrize(
    ("members", "other"),
    [(ABROAD, "eu-west-1"), (CHINA, "cn-north-1")],
    ids=["accounts", "partitions"],
)
def test_each_account_has_a_dashboard_of_its_own_hops_which_names_the_others(
    members: list[object], other: str
) -> None:
    seen = deployed(members=members)
    there, here = f"{other} -> us-east-1", f"us-east-1 -> {other}"
    for name, mine, others in (
        ("ring-us-east-1", here, there),
        (f"ring-{other}", there, here),
    ):
        document = body(seen, name)
        assert seen.one("Dashboard", name).provider == name
        assert [one["properties"]["title"] for one in widgets(document, "alarm")] == [
            f"Alarms: {mine}"
        ]
        (text,) = widgets(document, "text")
        assert text["properties"]["markdown"].endswith(f"accounts or stacks: {others}.")
    assert len(seen.all("Dashboard")) == 2
    assert len(set(seen.outputs["ring"]["dashboards"])) == 2


def test_a_stack_of_one_hop_says_that_another_has_the_rest() -> None:
    (text,) = widgets(body(deployed(hops=["us-east-1"])), "text")
    assert text["properties"]["markdown"].endswith("stacks: eu-west-1 -> us-east-1.")


def test_a_dashboard_of_all_hops_names_no_others() -> None:
    (text,) = widgets(body(deployed()), "text")
    assert "other accounts" not in text["properties"]["markdown"]


def test_the_name_of_a_dashboard_is_the_rings_alone_and_one_that_cloudwatch_takes() -> None:
    tables = ("orders", "or.ders", "or-ders", "x" * 244)
    names = [
        deployed(table={"name": table, "partition_key": {"name": "id", "type": "S"}}).outputs[
            "ring"
        ]["dashboards"][0]
        for table in tables
    ]
    assert names[0] == "ring-orders-0996013b"
    assert len(set(names)) == len(names)
    for name in names:
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html
        assert re.fullmatch("[A-Za-z0-9_-]{1,255}", name)
