"""What the page says of a ring's status is for that ring."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import EndpointConnectionError

from operate.deployed import Deployed, DeployedMember
from page.status_poller import StatusPoller

URL = "http://127.0.0.1:8000"


class LocalRing:
    """A ring on this machine with a bypassed member, whose region does not answer."""

    label = name = URL
    is_local = True

    def deployed(self) -> Deployed:
        return Deployed([DeployedMember("eu", "eu-west-1", "orders", stream_arn="s")], held={"eu"})

    def clients(self) -> Any:
        return self

    def get(self, *_: Any, **__: Any) -> Any:
        raise EndpointConnectionError(endpoint_url=URL)


def test_a_command_that_is_advised_selects_the_local_ring() -> None:
    poller = StatusPoller(LocalRing(), 60.0)  # type: ignore[arg-type]
    poller.close()
    poller.read()
    (note,) = poller.members["eu"].notes
    assert note.endswith(f"until `automate.py rejoin eu --local {URL}`")
