"""Take what a hop does about failures out, part by part, and see a test of the fault fail.

``python -m tests.mutation.remedies`` prints the table. The rules of the protocol, by which a record
that comes again does no harm, have a table of their own: ``tests.mutation.mutants``.
"""

import sys

from tests.mutation.remedies_of_calls import OF_CALLS
from tests.mutation.remedies_of_records import OF_RECORDS
from tests.mutation.remedies_of_transport import OF_TRANSPORT
from tests.mutation.trials import failing_without, trials

REMEDIES = [*OF_CALLS, *OF_RECORDS, *OF_TRANSPORT]


def main() -> int:
    """Print the table; 1 if something can be taken out and its test does not fail."""
    sys.stdout.write("| fault | without | of handler/ | fails |\n| --- | --- | --- | --- |\n")
    missed = 0
    with trials() as pool:
        failing = [pool.submit(failing_without, one.cut, [one.test_id]) for one in REMEDIES]
        for remedy, failed in zip(REMEDIES, failing, strict=True):
            is_noticed = remedy.test_id in failed.result()
            missed += not is_noticed
            test = remedy.test if is_noticed else "NOTHING"
            sys.stdout.write(f"| {remedy.fault} | {remedy.remedy} | {remedy.module} | {test} |\n")
            sys.stdout.flush()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
