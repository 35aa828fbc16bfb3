"""Measure a ring on this machine under a load: until its items are everywhere, and a check."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import Progress

from benchmarks.screen import Screen, number
from commands.local_ring import RunningLocalRing
from local.data.batch_writer import BatchWriter
from local.data.load import TargetTable, load
from local.memory import manage_memory
from local.ring import LocalRing
from local.stack_config import StackConfig
from operate.table_operations import check as check_ring
from operate.table_options import TableOptions

_REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-2")
_BYTES = 300
_TIMEOUT = 1200.0
_TABLE = {"name": "orders", "partition_key": {"name": "id", "type": "S"}}


@dataclass(frozen=True)
class _Spent:
    """Seconds of a step: by the clock, and of the processor in the ring's own process."""

    step: str
    clock: float
    processor: float

    def row(self, count: int) -> list[str]:
        each = self.processor * 1000 / count
        return [self.step, number(self.clock), number(self.processor), number(each)]


def run(screen: Screen, scale: float) -> None:
    """Load items into one of three members, wait until they are everywhere, and check.

    `RING_DYNAMODB` may name another DynamoDB server, as the option --dynamodb of `local` does;
    `RING_ITEMS` is the number of items.
    """
    manage_memory()
    count = int(os.environ.get("RING_ITEMS", max(100, int(2000 * scale))))
    stack = StackConfig.of(
        {"table": _TABLE, "members": [{"region": region} for region in _REGIONS]}
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalRing(stack, dynamodb=os.environ.get("RING_DYNAMODB")) as ring,
    ):
        path = Path(folder) / "items.jsonl"
        path.write_text("\n".join(_lines(count)))
        spent = [
            _measured("loaded", lambda: _load(ring, path)),
            _measured("everywhere after that", lambda: ring.wait_until_quiet(_TIMEOUT)),
            _measured("check", lambda: _check(ring, Path(folder))),
            _measured("one transaction", lambda: _transact(ring)),
        ]
    load_average = " ".join(f"{value:.1f}" for value in os.getloadavg())
    screen.table(
        f"Ring on this machine: {count:,} items of {_BYTES} bytes, at a load of {load_average}",
        ["", "seconds", "processor seconds", "processor ms an item"],
        [step.row(count) for step in spent],
    )


def _lines(count: int) -> list[str]:
    text = "x" * (_BYTES - 40)
    return [
        json.dumps({"id": f"order-{place:08}", "n": place, "text": text}) for place in range(count)
    ]


def _measured(step: str, work: Callable[[], Any]) -> _Spent:
    clock, processor = time.monotonic(), time.process_time()
    work()
    return _Spent(step, time.monotonic() - clock, time.process_time() - processor)


def _load(ring: LocalRing, path: Path) -> None:
    member = ring.member(_REGIONS[0])
    with (
        BatchWriter(member.client, member.clients.credentials) as writer,
        Progress(disable=True) as progress,
    ):
        load(path, TargetTable(writer, member.table), progress)


def _check(ring: LocalRing, folder: Path) -> None:
    """Compare all members as `automate.py check --local` does. Raises if they differ."""
    options = TableOptions(journal=folder / "check.sqlite")
    checked = check_ring(RunningLocalRing(ring.endpoint), table_options=options)
    if not checked.in_sync:
        raise RuntimeError(f"The members differ: {checked}")


def _transact(ring: LocalRing) -> None:
    member = ring.member(_REGIONS[1])
    put: Any = {"Put": {"TableName": member.table, "Item": {"id": {"S": "transaction"}}}}
    member.client.transact_write_items(TransactItems=[put])
