"""Measure memory and time of a check and of a comparison in memory (`make bench-check`).

The two members' scans are generated, page by page, in two different orders: the measurement is of
reading pages, sorting and comparing, without DynamoDB or a network. Each line is a process of its
own, with its peak resident memory by the system.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from handler.model.image import VERSION, digest
from handler.model.version import Version
from handler.store.dynamodb import MemberTables
from operate.reconcile.check import CheckOptions, check
from operate.reconcile.fingerprints import fingerprints
from operate.reconcile.journal import Journal
from operate.reconcile.members import MemberConnection
from operate.reconcile.parallel_scan import Segment, read_page
from operate.reconcile.rate_limit import RateLimiter

SEGMENTS = 4
PAGE = 1_000
DIFFERENT = 10
MULTIPLIERS = (1, 7_919)


class GeneratedTable:
    """A DynamoDB client with generated items, in an order given by a multiplier."""

    def __init__(self, items: int, multiplier: int, spoils: bool) -> None:
        self.items = items
        self._multiplier = multiplier
        self._spoils = spoils

    def scan(self, *, Segment: int, TotalSegments: int, **request: Any) -> dict[str, Any]:  # noqa: N803 - DynamoDB's names
        """Return a page of a segment."""
        part = self.items // TotalSegments
        begin = int(request.get("ExclusiveStartKey", {}).get("at", {}).get("N", Segment * part))
        end = min(
            begin + PAGE, self.items if Segment == TotalSegments - 1 else (Segment + 1) * part
        )
        last = self.items if Segment == TotalSegments - 1 else (Segment + 1) * part
        page = {"Items": [self._item(index) for index in range(begin, end)]}
        return page if end == last else {**page, "LastEvaluatedKey": {"at": {"N": str(end)}}}

    def get_item(self, **request: Any) -> dict[str, Any]:
        """Return an item."""
        return {"Item": self._generate(int(request["Key"]["id"]["S"]))}

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        """Return items."""
        ((table, wanted),) = RequestItems.items()
        items = [self._generate(int(key["id"]["S"])) for key in wanted["Keys"]]
        return {"Responses": {table: items}, "UnprocessedKeys": {}}

    def _item(self, index: int) -> dict[str, Any]:
        return self._generate(index * self._multiplier % self.items)

    def _generate(self, number: int) -> dict[str, Any]:
        item = {"id": {"S": f"{number:08d}"}, "v": {"S": "x" * 100}}
        if self._spoils and number % (self.items // DIFFERENT) == 0:
            item["v"] = {"S": "other"}
        version = Version.make(1_700_000_000, 0, "aaaaaaaa", number, digest(item))
        return {**item, VERSION: {"B": version}}


def members(items: int) -> list[MemberConnection]:
    """Return two members that differ in a few keys."""
    return [
        MemberConnection(
            name=f"member-{index}",
            region="none",
            replica=None,
            next_replicas=(),
            client=GeneratedTable(items, multiplier, spoils=bool(index)),  # type: ignore[arg-type]
            tables=MemberTables("t", None, 0),
            keys=("id",),
            types=("S",),
            ttl_attribute=None,
            item_count=items,
            tombstone_count=0,
            rate_limiter=RateLimiter(None),
        )
        for index, multiplier in enumerate(MULTIPLIERS)
    ]


def by_journal(items: int, *, pairwise: bool = False) -> int:
    """Compare as `automate.py check` does."""
    with tempfile.TemporaryDirectory() as folder, Journal(Path(folder) / "j", "b") as journal:
        options = CheckOptions(segments=SEGMENTS, pairwise=pairwise, settle_seconds=0)
        return check(members(items), journal, options).differing


def in_memory(items: int) -> int:
    """Compare with each member's rows in a dictionary."""
    first, second = (dict(_rows(member)) for member in members(items))
    return sum(first.get(key) != second.get(key) for key in first.keys() | second.keys())


def _rows(member: MemberConnection) -> Iterator[tuple[str, str]]:
    for number in range(SEGMENTS):
        position = None
        while True:
            segment = Segment("t", number, SEGMENTS)
            page = read_page(member.client, segment, position, consistent=False)
            yield from fingerprints(page.items, member.keys, None)
            position = page.position
            if position is None:
                break


METHODS: dict[str, Callable[[int], int]] = {
    "journal": by_journal,
    "pairwise": partial(by_journal, pairwise=True),
    "memory": in_memory,
}


def main() -> int:
    """Print the table; return 1 if many items take over 20 % more memory than few."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.check_memory", description=__doc__)
    parser.add_argument("--items", type=int, nargs=2, default=[10_000, 1_000_000])
    parser.add_argument("--one", nargs=2, metavar=("METHOD", "ITEMS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        return _measure(given.one[0], int(given.one[1]))
    sys.stdout.write("| method | items a member | peak memory | seconds | keys that differ |\n")
    sys.stdout.write("| --- | ---: | ---: | ---: | ---: |\n")
    peaks = {(method, items): _run(method, items) for method in METHODS for items in given.items}
    few, many = (peaks["journal", items] for items in given.items)
    sys.stdout.write(f"\nA check of many takes {many / few:.2f} times the memory of one of few.\n")
    return 0 if many <= 1.2 * few else 1


def _run(method: str, items: int) -> float:
    command = [sys.executable, "-m", "benchmarks.check_memory", "--one", method, str(items)]
    peak, line = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split(
        "\n", 1
    )
    sys.stdout.write(line)
    sys.stdout.flush()
    return float(peak)


def _measure(method: str, items: int) -> int:
    began = time.monotonic()
    found = METHODS[method](items)
    seconds = time.monotonic() - began
    # As in benchmarks/start.py: getrusage includes the memory of the parent process.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    peak = int(status["VmHWM"].split()[0]) / 1024
    line = f"| {method} | {items:,} | {peak:.0f} MB | {seconds:.1f} | {found} |"
    sys.stdout.write(f"{peak}\n{line}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
