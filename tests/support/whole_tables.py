"""A local ring as operations on whole tables reach one that is deployed."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from local.clients import FAKE_CREDENTIALS
from local.ring import LocalRing
from operate.aws.clients import ClientPool
from operate.deployed import Deployed, DeployedHop, DeployedMember
from operate.deployment.stack import RingStack
from operate.reconcile.connect import connect_members
from operate.reconcile.members import MemberConnection
from ring.settings.members import members_of
from tests.support.local_rings import PATIENCE, REGIONS, item, put


def lead_to(ring: LocalRing, patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Lead every SDK and every stack of this process to a local ring."""
    settings = {
        **FAKE_CREDENTIALS,
        "AWS_ENDPOINT_URL": ring.endpoint,
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
        "AWS_CONFIG_FILE": str(folder / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
    }
    for name, value in settings.items():
        patch.setenv(name, value)
    patch.setattr(RingStack, "deployed", lambda _: deployed(ring))
    patch.setattr(RingStack, "expect_ready", lambda _: None)
    patch.chdir(folder)


def deployed(ring: LocalRing) -> Deployed:
    members = [
        DeployedMember(
            name=member.name,
            region=member.region,
            table=member.table,
            tombstones=member.tombstones if ring.settings.tombstones.enabled else None,
            replica=member.id,
        )
        for member in members_of(ring.settings)
    ]
    hops = [DeployedHop(hop.source, hop.target) for hop in ring.hops.values()]
    return Deployed(members, hops)


def reached(ring: LocalRing, **how: Any) -> list[MemberConnection]:
    return connect_members(deployed(ring), ClientPool(), **how)


def empty(ring: LocalRing, word: str, keys: Sequence[str]) -> None:
    """Write items, a third of them at each member, and let one member lose all of them."""
    for number, key in enumerate(keys):
        put(ring, REGIONS[number % 3], item(key, v={"S": "first"}))
    with unseen(ring):
        for key in keys:
            ring.client(word).delete_item(TableName="orders", Key=item(key))


@contextmanager
def writing(ring: LocalRing, *, keys: int = 10, prefix: str = "live") -> Iterator[None]:
    """Let applications write, at all members and always the same keys, while the context lasts."""
    stop = threading.Event()

    def write(place: int, word: str) -> None:
        client, table = ring.client(word), ring.member(word).table
        number = 0
        while not stop.is_set():
            number += 1
            key = item(f"{prefix}{number * (place + 1) % keys}")
            with suppress(client.exceptions.ProvisionedThroughputExceededException):
                if number % 7 == 0:
                    client.delete_item(TableName=table, Key=key)
                else:
                    value = {"S": f"{word} {number}"}
                    client.put_item(TableName=table, Item={**key, "v": value})
            stop.wait(0.01)

    writers = [
        threading.Thread(target=write, args=(place, word))
        for place, word in enumerate(ring.members)
    ]
    for writer in writers:
        writer.start()
    try:
        yield
    finally:
        stop.set()
        for writer in writers:
            writer.join()


@contextmanager
def unseen(ring: LocalRing) -> Iterator[None]:
    """Let what is written while the context lasts never be delivered: its records are lost."""
    mappings = [hop.mapping for hop in ring.hops.values()]
    ring.wait_until_quiet(PATIENCE)
    with ring.paused():
        yield
        for mapping in mappings:
            while mapping.reader.read():
                pass
