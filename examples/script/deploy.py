"""Deploy a ring, look for problems, and compare its members; exit with 1 if anything is wrong."""

from __future__ import annotations

import sys

from operate import CheckOptions, OperateError, RingStack, check, status

SETTINGS = {
    "table": {"name": "sessions", "partition_key": {"name": "id", "type": "S"}},
    "members": [{"region": "us-east-1"}, {"region": "eu-west-1"}],
}
DIFFERENT = 1


def main() -> int:
    """Deploy the ring and return the exit code."""
    ring = RingStack(SETTINGS)  # its stack is named after the table
    result = ring.up()
    print("deployed:", dict(result.changes))
    problems = status(ring).problems
    for problem in problems:
        print("problem:", problem)
    # A difference counts once it has lasted for some seconds: younger ones are on their way.
    report = check(ring, CheckOptions(settle_seconds=5))
    for difference in report.differences:
        print("differs:", difference)
    print("in sync" if report.in_sync else "out of sync")
    return 0 if report.in_sync and not problems else DIFFERENT


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OperateError as error:
        sys.exit(str(error))
