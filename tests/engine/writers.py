"""Applications that write during changes of a ring."""

from __future__ import annotations

import threading
from typing import Self

from local.running_ring import LocalMember

_ROUNDS = 15  # a limit, because a busy machine updates slowly and has to catch up with all writes
_PAUSE = 0.3  # seconds between two rounds, so that the hops can keep up


class Writers:
    """An application at each member that inserts items, deletes some, and updates a shared one.

    At the end, the items in `kept` must be at all members, those in `deleted` at none.
    """

    def __init__(self) -> None:
        self.kept: set[str] = set()
        self.deleted: set[str] = set()
        self.wrong: list[Exception] = []
        self._stops: dict[str, tuple[threading.Event, threading.Thread]] = {}

    def begin(self, *members: LocalMember) -> None:
        """Start an application at each of these members."""
        for member in members:
            stop = threading.Event()
            thread = threading.Thread(target=self._write, args=(member, stop), daemon=True)
            self._stops[member.name] = stop, thread
            thread.start()

    def end(self, *names: str) -> None:
        """Stop the applications at these members; without arguments, all."""
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
