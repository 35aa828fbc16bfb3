"""Write to the members of a trial's ring, as applications do."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

from operate.deployed import DeployedMember
from operate.trial.context import Trial
from operate.trial.items import Item, key_of
from operate.trial.plan import PARTITION_KEY, SORT_KEY

_AT_ONCE = 16


@dataclass(frozen=True)
class Operation:
    """A write at a member. An `update` sets one attribute and removes another, by UpdateItem."""

    kind: Literal["put", "update", "delete"]
    member: DeployedMember
    item: Item

    @property
    def key(self) -> Item:
        """The item's key."""
        return key_of(self.item[PARTITION_KEY]["S"], self.item[SORT_KEY]["S"])


def updated(item: Item, number: int) -> Item:
    """Return what an `update` with a number makes of an item."""
    kept = {name: value for name, value in item.items() if name != "flag"}
    return {**kept, "number": {"N": str(number)}}


def write(trial: Trial, operation: Operation) -> None:
    """Write once. Raises botocore's errors."""
    client: Any = trial.client(operation.member)
    table = operation.member.table
    if operation.kind == "put":
        client.put_item(TableName=table, Item=operation.item)
    elif operation.kind == "delete":
        client.delete_item(TableName=table, Key=operation.key)
    else:
        client.update_item(
            TableName=table,
            Key=operation.key,
            UpdateExpression="SET #n = :n REMOVE #f",
            ExpressionAttributeNames={"#n": "number", "#f": "flag"},
            ExpressionAttributeValues={":n": operation.item["number"]},
        )


def write_all(trial: Trial, operations: Iterable[Operation]) -> int:
    """Write in parallel; return how many were accepted. Raises botocore's errors, the first one.

    After an error, or a stop, no more are begun.
    """

    def run(operation: Operation) -> None:
        trial.stop.check()
        write(trial, operation)

    pool = ThreadPoolExecutor(_AT_ONCE)
    done = 0
    try:
        for future in [pool.submit(run, operation) for operation in operations]:
            future.result()
            done += 1
    finally:
        pool.shutdown(cancel_futures=True)
    return done
