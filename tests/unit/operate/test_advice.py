"""A command that an error advises can be run as it stands, also for a ring on this machine."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from operate.deployed import Deployed, DeployedHop, DeployedMember
from operate.errors import OperationFailedError
from operate.quarantine.listing import RingQuarantine
from operate.table_options import TableOptions

URL = "http://127.0.0.1:8000"
LOST = "eu-west-1"


def silent(*_: Any, **__: Any) -> Any:
    raise EndpointConnectionError(endpoint_url=URL)


class Ring:
    """A ring of which no member answers."""

    label = name = URL

    def __init__(self, is_local: bool) -> None:
        self.is_local = is_local

    def expect_ready(self, operation: str | None = None) -> None: ...

    def cancel(self) -> None: ...

    def deployed(self) -> Deployed:
        member = DeployedMember(LOST, LOST, "orders")
        return Deployed((member,), (DeployedHop(LOST, LOST, "arn", "mapping", "bucket"),))

    def clients(self) -> Any:
        return SimpleNamespace(get=lambda *_, **__: SimpleNamespace(describe_table=silent))


OPERATIONS: dict[str, Callable[[Any], object]] = {
    "check": lambda ring: TableOptions().connect(ring),
    "redrive": RingQuarantine.of,
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    ("is_local", "command"),
    [(True, f"`automate.py bypass {LOST} --local {URL}`"), (False, f"`automate.py bypass {LOST}`")],
)
def test_where_a_member_does_not_answer_bypass_is_advised_for_this_ring(
    operation: str, is_local: bool, command: str
) -> None:
    with pytest.raises(OperationFailedError) as refused:
        OPERATIONS[operation](Ring(is_local))
    assert command in str(refused.value)
