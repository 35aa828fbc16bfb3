"""What the page says of a hop on this machine, from the ring's own state and the last status."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from operate.errors import OperationFailedError
from operate.monitoring.status import HopStatus
from page.local_source import LocalSource

ADVICE = "the hop from us to eu: its event source mapping is Disabled (User initiated) since ..."
OTHER = "the hop from us to eu: 1 object in the quarantine q"


class NoRing:
    """A ring that cannot be read."""

    label = "http://127.0.0.1:8000"

    def deployed(self) -> Any:
        raise OperationFailedError("not here")


@pytest.fixture
def source() -> Iterator[LocalSource]:
    made = LocalSource(NoRing())  # type: ignore[arg-type]
    yield made
    made.close()


@pytest.mark.parametrize(("stopped_by", "state"), [("disabled", "paused"), ("", "running")])
def test_that_a_hop_is_paused_is_said_by_its_state_alone_also_just_after_it_was_resumed(
    source: LocalSource, stopped_by: str, state: str
) -> None:
    source._poller.began = time.time()
    source._poller.hops = {
        "us": HopStatus("us", "eu", "Disabled", "OK", None, "Active", 1, (), (ADVICE, OTHER))
    }
    live = {"source": "us", "target": "eu", "waiting": 0, "oldest": None, "trouble": ""}
    hop = source._hop({**live, "stopped_by": stopped_by}, 0.0)
    assert (hop.state, hop.trouble) == (state, (OTHER,))


def test_what_is_wrong_with_a_hop_is_said_with_its_name(source: LocalSource) -> None:
    live = {"source": "us", "target": "eu", "waiting": 1, "oldest": None, "stopped_by": ""}
    hop = source._hop({**live, "trouble": "EndpointConnectionError: no connection"}, 0.0)
    assert hop.trouble == ("the hop from us to eu: EndpointConnectionError: no connection",)
