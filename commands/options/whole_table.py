"""Options of commands on whole tables: rate, checkpoint file, keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from decimal import Context, Decimal
from functools import wraps
from pathlib import Path
from typing import Any

import click

from commands.options.numbers import Finite
from commands.output.screen import Screen
from local.data.items import Schema, parse_line
from operate.durations import format_duration
from operate.errors import InvalidRequestError
from operate.reconcile.fingerprints import key_text
from operate.reconcile.journal import Journal
from operate.reconcile.members import MemberConnection
from operate.rings import DeployedRing
from operate.table_options import CHECKPOINTS, TableOptions

_EXACT = Context(prec=40)
"""DynamoDB's numbers have up to 38 digits."""
_OPTIONS = (
    click.option(
        "--rate",
        type=Finite(min=0, min_open=True),
        metavar="UNITS",
        help="Capacity units per second and member, reads and writes together. Default: unlimited.",
    ),
    click.option(
        "--journal",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Checkpoint file, to resume after an interruption; deleted at the end. A new file, or "
        f"one of such a run. Default: one in {CHECKPOINTS}/ per command and ring. About 100 bytes "
        "per item and member.",
    ),
    click.option("--restart", is_flag=True, help="Start over instead of resuming."),
)


@contextmanager
def announce_journal(screen: Screen, opening: AbstractContextManager[Journal]) -> Iterator[Journal]:
    """Open a checkpoint file, and print whether it is resumed, and that it can be."""
    with opening as journal:
        if journal.resumed:
            age = format_duration(timedelta(seconds=journal.age))
            screen.print(
                f"Resuming from {journal.path}, written {age} ago: what was read by then is not "
                "read again (--restart starts over)."
            )
        try:
            yield journal
        except KeyboardInterrupt:
            screen.print("Interrupted. Run the same command to resume.")
            raise


def expect_answer(screen: Screen, rings: Iterable[DeployedRing]) -> None:
    """Raise `InvalidRequestError` if nobody can answer a question.

    Raises `PrerequisiteError` first: --yes would not help then.
    """
    for ring in rings:
        ring.expect_ready()
    screen.require_interactive()


def table_options(function: Callable[..., int]) -> Callable[..., int]:
    """Add the options of commands on whole tables, as `whole`."""

    @wraps(function)
    def command(**given: Any) -> int:
        options = {name: given.pop(name) for name in ("rate", "journal", "restart")}
        # `repair`, `check` and `backfill` have it; others have no functions to run in.
        distributed = given.pop("distributed", False)
        whole = TableOptions(**options, distributed=distributed, on_note=given["screen"].print)
        if whole.journal and len(given["rings"]) > 1:
            names = ", ".join(ring.label for ring in given["rings"])
            raise InvalidRequestError(
                f"--journal is for one ring, and these are {names}: select one with --only."
            )
        return function(whole=whole, **given)

    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def parse_keys(lines: Iterable[str], member: MemberConnection) -> list[str]:
    """Parse keys, one JSON object per line: plain, in DynamoDB JSON, or a line of a report.

    They are returned as `operate.reconcile.fingerprints.key_text` writes them. Raises
    `InvalidRequestError`.
    """
    schema = Schema(member.keys, dict(zip(member.keys, member.types, strict=True)))
    texts = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            key = parse_line(_key_in(line, member), schema)
            texts.append(key_text({name: _one_spelling(key[name]) for name in key}, member.keys))
        except (ValueError, RecursionError) as error:  # a BadItemError is a ValueError
            raise InvalidRequestError(
                f"Line {number} is not a key of these tables: {error}."
            ) from error
    return texts


def _one_spelling(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a value whose number is spelled as DynamoDB does: 1 and 1.0 are one key."""
    if "N" not in value:
        return value
    number = Decimal(value["N"])
    return {"N": f"{number.normalize(_EXACT):f}" if number else "0"}


def _key_in(line: str, member: MemberConnection) -> bytes:
    """Return the key in a line that may be one of a report.

    Items may have attributes of a report's names; but a report's line has no other, and its key has
    just the attributes that these tables' keys have.
    """
    document = json.loads(line)
    match document:
        case {"key": {**key}, "kind": str(), "members": {}} if len(document) == 3:
            if key.keys() == set(member.keys):
                return json.dumps(key).encode()
    return line.encode()


def skipped_keys(reasons: Mapping[str, str], names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the document of skipped keys: each key, as in a report, and the reason.

    `reasons` are by the keys' texts (`operate.reconcile.fingerprints.key_text`), and `names` those
    of the key attributes.
    """
    return [
        {"key": dict(zip(names, json.loads(text), strict=True)), "reason": reason}
        for text, reason in reasons.items()
    ]


def json_line(document: Any) -> str:
    """Format a line of a report."""
    return json.dumps(document, ensure_ascii=False)
