"""Writers of a soak: one at each member, with puts, updates and deletes drawn by a seed."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from benchmarks.soak.ledger import Ledger, Value
from local.clients import Clients

if TYPE_CHECKING:
    from local.ring import LocalMember

OWN_KEYS, SHARED_KEYS = 200, 20
_SHARED_SHARE = 0.1
_KINDS, _WEIGHTS = ("put", "update", "delete"), (5, 3, 2)
_TEXT = "x" * 200
# One attempt: the ledger has to know of each. A region that is down closes the connection at once.
_ONE_ATTEMPT = Config(retries={"total_max_attempts": 1}, read_timeout=120)


class Writer:
    """Writes at a member, `rate` times a second, until it is stopped."""

    def __init__(
        self, member: LocalMember, endpoint: str, ledger: Ledger, seed: int, rate: float
    ) -> None:
        self._member = member
        self._clients = Clients(endpoint, config=_ONE_ATTEMPT)
        self._ledger = ledger
        self._draws = random.Random(f"{seed} {member.name}")
        self._pause = 1 / rate
        self._number = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"writer {member.name}", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write no more. Returns when the last write has an answer."""
        self._stopped.set()
        self._thread.join()
        self._clients.close()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stopped.wait(max(0.0, due - time.monotonic())):
            due = max(due + self._pause, time.monotonic() - 1)
            self._write()

    def _write(self) -> None:
        shared = self._draws.random() < _SHARED_SHARE
        (kind,) = self._draws.choices(_KINDS, _WEIGHTS)
        owner, keys = ("shared", SHARED_KEYS) if shared else (self._member.name, OWN_KEYS)
        key = f"{owner}-{self._draws.randrange(keys)}"
        self._number += 1
        value: Value = None if kind == "delete" else self._number
        try:
            self._ledger.write(
                kind, key, value, lambda: self._send(kind, key, self._number), shared=shared
            )
        except (BotoCoreError, ClientError):
            self._stopped.wait(0.2)  # noted in the ledger; its region is down or throttles

    def _send(self, kind: str, key: str, number: int) -> None:
        client = self._clients.dynamodb(self._member.region)
        table: Any = {"TableName": self._member.table}
        id_, n = {"id": {"S": key}}, {"N": str(number)}
        if kind == "put":
            client.put_item(**table, Item={**id_, "n": n, "text": {"S": _TEXT}})
        elif kind == "delete":
            client.delete_item(**table, Key=id_)
        else:
            client.update_item(
                **table,
                Key=id_,
                UpdateExpression="SET n = :n",
                ExpressionAttributeValues={":n": n},
            )


class Writers:
    """The writers at all members, while the context lasts."""

    def __init__(
        self, members: Sequence[LocalMember], endpoint: str, ledger: Ledger, seed: int, rate: float
    ) -> None:
        share = rate / len(members)
        self._writers = [Writer(member, endpoint, ledger, seed, share) for member in members]
        self._end = ExitStack()

    def __enter__(self) -> Self:
        for writer in self._writers:
            writer.start()
            self._end.callback(writer.stop)
        return self

    def __exit__(self, *_: object) -> None:
        self._end.close()


def values_at(member: LocalMember) -> dict[str, Value]:
    """Return the numbers of a member's items by key."""
    pages = member.client.get_paginator("scan").paginate(
        TableName=member.table, ConsistentRead=True
    )
    return {
        item["id"]["S"]: int(item["n"]["N"])
        for page in pages
        for item in page["Items"]
        if "n" in item
    }
