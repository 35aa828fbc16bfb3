"""What every test of a dashboard needs, since it is a stack's."""

from tests.ring.conftest import event_loop_of_its_own

__all__ = ["event_loop_of_its_own"]
