"""Applications that write while a ring is changed."""

from __future__ import annotations

import threading
from typing import Self

from local.running_ring import LocalMember

_ROUNDS = 15  # at most: a busy machine is long about its updates, and has all that to catch up with
_PAUSE = 0.3  # seconds between two rounds of an application: the hops must be able to keep up


class Writers:
    """An application at each member. It inserts items, deletes some of them, and edits one that all
    of them edit.

    `kept` are the keys of the items that must be everywhere in the end, `deleted` of those nowhere.
    """

    def __init__(self) -> None:
        self.kept: set[str] = set()
        self.deleted: set[str] = set()
        self.wrong: list[Exception] = []
        self._stops: dict[str, tuple[threading.Event, threading.Thread]] = {}

    def begin(self, *members: LocalMember) -> None:
        """Let an application write at each of these members."""
        for member in members:
            stop = threading.Event()
            thread = threading.Thread(target=self._write, args=(member, stop), daemon=True)
            self._stops[member.name] = stop, thread
            thread.start()

    def end(self, *names: str) -> None:
        """Let the applications at these members end; all of them, if none is named."""
        ending = [self._stops.pop(name) for name in names or list(self._stops)]
        for stop, _ in ending:
            stop.set()
        for _, thread in ending:
            thread.join()

    def _write(self, member: LocalMember, stop: threading.Event) -> None:
        client, table = member.client, member.table
        for number in range(_ROUNDS):
            key = f"{member.name}-{number}"
            try:
                client.put_item(TableName=table, Item={"id": {"S": key}, "n": {"N": str(number)}})
                self.kept.add(key)
                client.put_item(TableName=table, Item={"id": {"S": "shared"}, "by": {"S": key}})
                if number % 4 == 3:
                    self.kept.discard(key)
                    client.delete_item(TableName=table, Key={"id": {"S": key}})
                    self.deleted.add(key)
            except Exception as error:
                self.wrong.append(error)
                return
            if stop.wait(_PAUSE):
                return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
