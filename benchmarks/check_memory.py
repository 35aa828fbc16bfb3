"""How much memory and time a check takes, against comparing in memory, the simple way.

`make bench-check`. Two members whose scans are made up, page by page, in two different orders: what
is measured is this project's part, reading pages, sorting and comparing, without DynamoDB or a
network. Each line is a process of its own; its peak resident memory is what the system says.
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


class MadeUp:
    """A client of a table that is not there, in the order that a multiplier makes."""

    def __init__(self, items: int, multiplier: int, spoils: bool) -> None:
        self.items = items
        self._multiplier = multiplier
        self._spoils = spoils

    def scan(self, *, Segment: int, TotalSegments: int, **request: Any) -> dict[str, Any]:  # noqa: N803 - DynamoDB's names
        """A page of a segment, as DynamoDB answers."""
        part = self.items // TotalSegments
        begin = int(request.get("ExclusiveStartKey", {}).get("at", {}).get("N", Segment * part))
        end = min(
            begin + PAGE, self.items if Segment == TotalSegments - 1 else (Segment + 1) * part
        )
        last = self.items if Segment == TotalSegments - 1 else (Segment + 1) * part
        page = {"Items": [self._item(place) for place in range(begin, end)]}
        return page if end == last else {**page, "LastEvaluatedKey": {"at": {"N": str(end)}}}

    def get_item(self, **request: Any) -> dict[str, Any]:
        """An item, as DynamoDB answers."""
        return {"Item": self._made(int(request["Key"]["id"]["S"]))}

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        """Items, as DynamoDB answers."""
        ((table, wanted),) = RequestItems.items()
        items = [self._made(int(key["id"]["S"])) for key in wanted["Keys"]]
        return {"Responses": {table: items}, "UnprocessedKeys": {}}

    def _item(self, place: int) -> dict[str, Any]:
        return self._made(place * self._multiplier % self.items)

    def _made(self, number: int) -> dict[str, Any]:
        item = {"id": {"S": f"{number:08d}"}, "v": {"S": "x" * 100}}
        if self._spoils and number % (self.items // DIFFERENT) == 0:
            item["v"] = {"S": "other"}
        version = Version.make(1_700_000_000, 0, "aaaaaaaa", number, digest(item))
        return {**item, VERSION: {"S": version}}


def members(items: int) -> list[MemberConnection]:
    """Two members that differ in a few keys."""
    return [
        MemberConnection(
            name=f"member-{place}",
            region="none",
            replica=None,
            next_replicas=(),
            client=MadeUp(items, multiplier, spoils=bool(place)),  # type: ignore[arg-type]
            tables=MemberTables("t", None, 0),
            keys=("id",),
            types=("S",),
            ttl_attribute=None,
            item_count=items,
            tombstone_count=0,
            rate_limiter=RateLimiter(None),
        )
        for place, multiplier in enumerate(MULTIPLIERS)
    ]


def by_journal(items: int, *, apart: bool = False) -> int:
    """What `automate.py check` does."""
    with tempfile.TemporaryDirectory() as folder, Journal(Path(folder) / "j", "b") as journal:
        wish = CheckOptions(segments=SEGMENTS, pairwise=apart, settle_seconds=0)
        return check(members(items), journal, wish).differing


def in_memory(items: int) -> int:
    """The simple way: each member's rows in a dictionary."""
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


WAYS: dict[str, Callable[[int], int]] = {
    "journal": by_journal,
    "apart": partial(by_journal, apart=True),
    "memory": in_memory,
}


def main() -> int:
    """Print the table; 1 if a check of many items takes over 20 % more memory than of few."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.check_memory", description=__doc__)
    parser.add_argument("--items", type=int, nargs=2, default=[10_000, 1_000_000])
    parser.add_argument("--one", nargs=2, metavar=("WAY", "ITEMS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        return _measure(given.one[0], int(given.one[1]))
    sys.stdout.write("| way | items a member | peak memory | seconds | keys that differ |\n")
    sys.stdout.write("| --- | ---: | ---: | ---: | ---: |\n")
    peaks = {(way, items): _run(way, items) for way in WAYS for items in given.items}
    few, many = (peaks["journal", items] for items in given.items)
    sys.stdout.write(f"\nA check of many takes {many / few:.2f} times the memory of one of few.\n")
    return 0 if many <= 1.2 * few else 1


def _run(way: str, items: int) -> float:
    command = [sys.executable, "-m", "benchmarks.check_memory", "--one", way, str(items)]
    peak, line = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split(
        "\n", 1
    )
    sys.stdout.write(line)
    sys.stdout.flush()
    return float(peak)


def _measure(way: str, items: int) -> int:
    began = time.monotonic()
    found = WAYS[way](items)
    seconds = time.monotonic() - began
    # As in benchmarks/start.py: getrusage tells what the process held that began this one, too.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    peak = int(status["VmHWM"].split()[0]) / 1024
    line = f"| {way} | {items:,} | {peak:.0f} MB | {seconds:.1f} | {found} |"
    sys.stdout.write(f"{peak}\n{line}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
