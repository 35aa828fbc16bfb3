"""The command `discard`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

from commands.exit_codes import FAILED, OK
from commands.framework import RingCommand, command, examples
from commands.options.rings import running_rings_option
from commands.output.long_work import at_work
from commands.output.screen import Screen
from operate.errors import InvalidRequestError, OperateError, OperationFailedError
from operate.quarantine.bucket import Entry
from operate.quarantine.listing import QuarantinedEntry, RingQuarantine
from operate.rings import DeployedRing, run_on_all
from operate.stop import Stop


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

    Prints all records before the first is deleted: this output is then the only copy. Deletes
    nothing if one of the IDs is not in the quarantine, or cannot be printed whole. If a delete
    fails, ends with 1 and prints on stderr which were deleted.
    """
    entries = _find(rings, ids)
    _require_whole(entries)
    if not yes:
        screen.require_interactive()
    documents = [_document(entry.entry) for entry in entries]
    with screen.require_written("Nothing was deleted."):
        screen.emit(
            {"operation": "discard", "entries": documents}, lambda: _show(screen, documents)
        )
    if not yes and not click.confirm("Delete these records for good?", err=True):
        return FAILED
    _delete(screen, entries)
    return OK


def _find(rings: Sequence[DeployedRing], ids: Sequence[str]) -> list[QuarantinedEntry]:
    """Return the entries with these IDs. Raises `OperateError` if one is missing."""
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
    return entries


def _require_whole(entries: Sequence[QuarantinedEntry]) -> None:
    """Raise `InvalidRequestError` for an entry that cannot be printed whole."""
    for entry in entries:
        if entry.entry.missing:
            raise InvalidRequestError(
                f"{entry.entry.id} cannot be printed whole: {entry.entry.missing}. Nothing was "
                f"deleted. Keep it first: `aws s3 cp {entry.address} .`. Then delete it: "
                f"`aws s3 rm {entry.address}`."
            )


def _delete(screen: Screen, entries: Sequence[QuarantinedEntry]) -> None:
    """Delete entries until one fails. Raises `OperationFailedError`, which names what is left."""
    ids = [entry.entry.id for entry in entries]
    stop = Stop()
    with at_work(screen, stop):
        deleted, reason = _delete_each(entries, stop)
    if reason:
        raise OperationFailedError(
            f"{reason}\nDeleted: {', '.join(ids[:deleted]) or 'none'}\n"
            f"Still in the quarantine: {', '.join(ids[deleted:])}"
        )
    screen.print(f"Deleted {deleted}.")


def _delete_each(entries: Sequence[QuarantinedEntry], stop: Stop) -> tuple[int, str]:
    """Delete entries in order. Return how many were deleted, and why not all; empty: all were."""
    for deleted, entry in enumerate(entries):
        if stop.is_asked:
            return deleted, "Stopped."
        try:
            entry.discard()
        except OperateError as error:
            return deleted, str(error)
    return len(entries), ""


def _entries(ring: DeployedRing, ids: Sequence[str]) -> list[QuarantinedEntry]:
    quarantines = RingQuarantine.of(ring)
    return [entry for entry in map(quarantines.find, dict.fromkeys(ids)) if entry]


def _document(entry: Entry) -> dict[str, Any]:
    return {**entry.summary(), "holds": entry.document}


def _show(screen: Screen, documents: Sequence[dict[str, Any]]) -> None:
    for document in documents:
        screen.print(json.dumps(document, indent=2, ensure_ascii=False))
