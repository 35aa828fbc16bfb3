"""The dashboard drawn, for a person to look at.

The pictures are in pytest's own directories, or where the environment says: RING_PICTURES=DIR.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.ring import LocalRing
from tests.dashboard.picture import draw
from tests.dashboard.values import Values, lines_of
from tests.local.rings import PATIENCE, item, put, ring_of
from tests.ring.mocked import deployed

DEV = Path(__file__).parents[2] / "Pulumi.dev.yaml"
SECRET = "arn:aws:secretsmanager:ap-northeast-3:123456789012:secret:keys-a1B2c3"
KEYS = {"writer_secret": {"arn": SECRET}}
Place = Callable[[str], Path]


@pytest.fixture
def picture(tmp_path: Path) -> Place:
    told = os.environ.get("RING_PICTURES")
    return lambda name: (Path(told) if told else tmp_path) / f"{name}.png"


def is_png_of_some_size(path: Path) -> bool:
    return path.read_bytes().startswith(b"\x89PNG\r\n") and path.stat().st_size > 50_000


def alarms(body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The ARNs and names of all alarms on a dashboard."""
    for widget in body["widgets"]:
        for arn in widget["properties"].get("alarms", ()):
            yield arn, arn.rpartition(":")[2]


def bad_hour(body: dict[str, Any]) -> Values:
    """Values of every metric on a dashboard: an hour in which the first hop lags and fails."""
    values = Values()
    graphs = [one["properties"] for one in body["widgets"] if one["type"] == "metric"]
    metrics = [metric for graph in graphs for metric in graph["metrics"] if len(metric) > 1]
    names = {tuple(name): options["stat"] for *name, options in metrics}
    first = next(iter(names))[-1]  # what its own metrics call the hop
    for at, name in enumerate(names):
        bad = name[-1] == first or "us-east-1-to-eu-west-1" in name[-1]
        for minute in range(60):
            wave = (1 + math.sin(minute / 9 + at)) * (1 + at % 5)
            broken = bad and 20 < minute < 40
            match name[1]:
                case "IteratorAge":
                    value = 1000 * (60 * (minute - 20) if broken else wave)
                case "lag" | "lap":
                    value = 60.0 * (minute - 20) if broken else wave
                case "Errors" | "Throttles" | "failures" | "faults" | "given_back":
                    value = float(broken) * (1 + at % 3)
                case "quarantined" | "conflicts":
                    value = float(minute % 17 == 3 and bad)
                case _:
                    value = 0.0 if broken else 100 * wave
            values.put(name, minute * 60.0, value)
    return values


def test_what_is_on_it_can_be_read_in_a_bad_hour(picture: Place) -> None:
    config = yaml.safe_load(DEV.read_text())["config"]
    members = config["dynamodb-ring:members"]
    body = deployed(members=members).one("Dashboard", "ring-us-east-1").document("dashboardBody")
    ringing = ("us-east-1-to-eu-west-1-lags", "us-east-1-to-eu-west-1-fails")
    states = {
        arn: (name, "ALARM" if any(word in name for word in ringing) else "OK")
        for arn, name in alarms(body)
    }
    path = picture("a-bad-hour")
    assert draw(body, bad_hour(body), states, path, period=60) == []
    assert is_png_of_some_size(path)


def test_long_names_have_room_and_so_has_what_is_on_other_dashboards(picture: Place) -> None:
    members: list[dict[str, Any]] = [
        {"region": "ap-southeast-2", "table": "orders-reporting"},
        {"region": "ap-northeast-3", "table": "orders-archive"},
        {"region": "us-gov-east-1", "table": "orders-at-home", "profile": "gov", **KEYS},
    ]
    members[0] |= {"writer_secret": {"arn": SECRET.replace("aws", "aws-us-gov", 1)}}
    seen = deployed(members=members)
    body = seen.one("Dashboard", "ring-ap-southeast-2-orders-reporting").document("dashboardBody")
    states = {arn: (name, "INSUFFICIENT_DATA") for arn, name in alarms(body)}
    assert draw(body, bad_hour(body), states, picture("long-names"), period=60) == []


@pytest.fixture(scope="module")
def ring() -> Iterator[LocalRing]:
    with ring_of(3) as ring:
        for number in range(30):
            for region in ("us-east-1", "eu-west-1", "ap-southeast-2"):
                put(ring, region, item(f"key-{number % 7}", n={"N": str(number)}))
        ring.wait_until_quiet(PATIENCE)
        yield ring


def test_what_a_running_ring_tells_is_on_its_own_dashboard(ring: LocalRing, picture: Place) -> None:
    home = ring.member("us-east-1")
    client = home.clients.cloudwatch(home.region)
    (entry,) = client.list_dashboards()["DashboardEntries"]
    body = json.loads(client.get_dashboard(DashboardName=entry["DashboardName"])["DashboardBody"])
    values = Values()
    for hop in ring.hops.values():
        values.hear(hop.function.log)
    path = picture("a-local-ring")
    assert draw(body, values, states_of(ring), path, period=0.2) == []
    assert is_png_of_some_size(path)
    changes = [one["properties"] for one in body["widgets"] if is_titled(one, "Changes")]
    for graph, hop in zip(changes, ring.hops.values(), strict=True):
        lines = lines_of(graph, values, 1)
        told = hop.tally.read()
        assert sum(lines["records"].values()) == told["records"] > 30
        assert sum(lines["written"].values()) == told["replicated"] > 0
    (lag,) = [one["properties"] for one in body["widgets"] if is_titled(one, "Lag to the")]
    assert all(lines_of(lag, values, 1).values())


def is_titled(widget: dict[str, Any], title: str) -> bool:
    return str(widget["properties"].get("title", "")).startswith(title)


def states_of(ring: LocalRing) -> dict[str, tuple[str, str]]:
    """The names and states of all alarms that moto has, by their ARNs."""
    return {
        alarm["AlarmArn"]: (alarm["AlarmName"], alarm["StateValue"])
        for member in ring.members.values()
        for alarm in member.clients.cloudwatch(member.region).describe_alarms()["MetricAlarms"]
    }
