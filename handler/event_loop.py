"""Event loop that measures how long it waits.

While it hardly does, the processor limits the hop: another request in progress would only wait for
its turn, and need a connection whose TLS handshake takes longer than several requests.
"""

import asyncio
import selectors
import time


class MeteredSelector(selectors.DefaultSelector):
    """Selector that counts the seconds for which it waits."""

    idle_seconds = 0.0
    """Seconds that the event loop has waited so far, with nothing to do."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """See ``selectors.BaseSelector``."""
        began = time.monotonic()
        ready = super().select(timeout)
        self.idle_seconds += time.monotonic() - began
        return ready


def make_runner(selector: MeteredSelector) -> asyncio.Runner:
    """Make a runner with a loop of its own: the thread's current one is not changed."""
    return asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector))
