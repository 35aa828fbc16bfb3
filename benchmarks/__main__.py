"""Print the tables of docs/explanation/performance.md: ``python -m benchmarks``, ``make bench``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from benchmarks import (
    copies,
    costs,
    lag,
    local_ring,
    page_load,
    profile,
    sizes,
    speed,
    start,
    transport,
)
from benchmarks.screen import Screen

PARTS: dict[str, Callable[[Screen, float], None]] = {
    "round-trip": speed.ROUND_TRIP.run,
    "size": speed.SIZE.run,
    "kind": speed.KIND.run,
    "tls": speed.TLS.run,
    "batch": speed.BATCH.run,
    "trouble": speed.TROUBLE.run,
    "transport": transport.run,
    "profile": profile.run,
    "latency": start.latency,
    "start": start.cold_start,
    "memory": start.memory,
    "sizes": sizes.run,
    "writes": costs.run,
    "copies": copies.run,
    "lag": lag.run,
    "local-ring": local_ring.run,
    "page": page_load.run,
}


def main() -> int:
    """Run the selected parts."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--part", action="append", choices=PARTS, metavar="PART", help=", ".join(PARTS)
    )
    parser.add_argument("--quick", action="store_true", help="use a tenth of each batch")
    arguments = parser.parse_args()
    screen = Screen()
    for part in arguments.part or PARTS:
        PARTS[part](screen, 0.1 if arguments.quick else 1.0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
