"""What every test of the stack needs."""

import pytest


@pytest.fixture(autouse=True)
def _event_loop(event_loop_of_its_own: None) -> None:
    """Pulumi's mocks take the thread's event loop."""
