"""The command `discard`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

from commands.exit_codes import FAILED, OK
from commands.framework import RingCommand, command, examples
from commands.options.rings import running_rings_option
from commands.output.screen import Screen
from operate.errors import InvalidRequestError
from operate.quarantine.bucket import Entry
from operate.quarantine.listing import QuarantinedEntry, RingQuarantine
from operate.rings import DeployedRing, run_on_all


@click.command(
    cls=RingCommand,
    epilog=examples(
        "automate.py discard --stack prod quarantine/1234-ab12.json",
        "automate.py discard --stack prod quarantine/1234-ab12.json --yes --json > kept.json",
    ),
)
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@command
@running_rings_option
@click.option("--yes", "-y", is_flag=True, help="Skip the confirmation.")
def discard(screen: Screen, rings: Sequence[DeployedRing], ids: tuple[str, ...], yes: bool) -> int:
    """Delete quarantined records that are not to be replayed.

    Prints each record before it is deleted: this output is then the only copy. Deletes nothing if
    one of the IDs is not in the quarantine.
    """
    found = run_on_all(rings, lambda ring: _entries(ring, ids), reads_only=True)
    entries = [entry for outcome in found for entry in outcome.result or ()]
    missing = set(ids) - {entry.entry.id for entry in entries}
    if error := next((outcome.error for outcome in found if outcome.error), None):
        raise error
    if missing:
        raise InvalidRequestError(
            f"{', '.join(sorted(missing))}: not in the quarantine (any more). Nothing was deleted. "
            "`automate.py redrive` lists the records."
        )
    documents = [_document(entry.entry) for entry in entries]
    if not yes:
        screen.require_interactive()
        _show(screen, documents)
        if not click.confirm("Delete these records for good?", err=True):
            return FAILED
    elif not screen.as_json:
        _show(screen, documents)
    for entry in entries:
        entry.discard()
    screen.emit(
        {"operation": "discard", "ok": True, "entries": documents},
        lambda: screen.print(f"Deleted {len(entries)}."),
    )
    return OK


def _entries(ring: DeployedRing, ids: Sequence[str]) -> list[QuarantinedEntry]:
    quarantines = RingQuarantine(ring.deployed(), ring.clients())
    return [entry for entry in map(quarantines.find, dict.fromkeys(ids)) if entry]


def _document(entry: Entry) -> dict[str, Any]:
    return {**entry.summary(), "holds": entry.document}


def _show(screen: Screen, documents: Sequence[dict[str, Any]]) -> None:
    for document in documents:
        screen.print(json.dumps(document, indent=2, ensure_ascii=False))
