"""What commands on whole tables have alike: pace, journal, and keys that are given."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any

import click

from commands.options.numbers import Finite
from commands.output.screen import Screen
from local.data.items import Schema, parse_line
from operate.errors import InvalidRequestError
from operate.reconcile.connect import connect_members
from operate.reconcile.fingerprints import key_text
from operate.reconcile.journal import Journal
from operate.reconcile.members import MemberConnection
from operate.rings import DeployedRing
from operate.stop import Stop

JOURNALS = Path(".dynamodb-ring")
"""Where journals are, in the current folder, unless a command is told another file."""

_OPTIONS = (
    click.option(
        "--rate",
        type=Finite(min=0, min_open=True),
        metavar="UNITS",
        help="Take no more than so many capacity units a second at each member, reads and writes "
        "together. Default: as fast as it goes.",
    ),
    click.option(
        "--journal",
        type=click.Path(path_type=Path, dir_okay=False),
        help="The file that says how far it is, by which it goes on after an interruption: a new "
        "one, or one that was begun so. It is deleted in the end; any other file is refused. "
        f"Default: one in {JOURNALS}/ for each command and ring. Where many items differ, or are "
        "compared, it grows by some 100 bytes an item and member.",
    ),
    click.option(
        "--restart", is_flag=True, help="Begin anew, also where an interrupted one could go on."
    ),
)


@dataclass(frozen=True)
class TableOptions:
    """What these options say."""

    rate: float | None
    journal: Path | None
    restart: bool
    stop: Stop = field(default_factory=Stop)
    """Asks all that is done to end in order."""

    def reach(self, ring: DeployedRing, only: Iterable[str] = ()) -> list[MemberConnection]:
        """Reach a ring's members. Raises `OperateError`, also if they are fewer than two."""
        members = connect_members(
            ring.deployed(), ring.clients(), only=tuple(only), rate=self.rate, stop=self.stop
        )
        if len(members) < 2:
            raise InvalidRequestError(f"It takes two members, and here is {len(members)}.")
        return members

    @contextmanager
    def open(
        self, screen: Screen, ring: DeployedRing, command: str, about: Any
    ) -> Iterator[Journal]:
        """The journal of a command on a ring. If it ends well, the journal is removed."""
        name = re.sub(r"[^\w.-]", "-", f"{command}-{ring.label}.sqlite")
        with Journal(self.journal or JOURNALS / name, about, restart=self.restart) as journal:
            if journal.resumed:
                screen.print(
                    f"It goes on where it was interrupted ({journal.path}; --restart: not so)."
                )
            try:
                yield journal
            except KeyboardInterrupt:
                screen.print("Interrupted. The same command goes on from here.")
                raise
            journal.remove()


def expect_answer(screen: Screen, rings: Iterable[DeployedRing]) -> None:
    """See that somebody can be asked. What is missing is told first: it takes more than a --yes.

    Raises `InvalidRequestError` or `PrerequisiteError`.
    """
    for ring in rings:
        ring.expect_ready()
    screen.require_interactive()


def table_options(function: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options of commands on whole tables, as `whole`."""

    @wraps(function)
    def command(**given: Any) -> int:
        whole = TableOptions(*(given.pop(name) for name in ("rate", "journal", "restart")))
        if whole.journal and len(given["rings"]) > 1:
            names = ", ".join(ring.label for ring in given["rings"])
            raise InvalidRequestError(
                f"--journal is the file of one ring, and these are {names}: say which with --only, "
                "or leave --journal out."
            )
        return function(whole=whole, **given)

    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def parse_keys(lines: Iterable[str], member: MemberConnection) -> list[str]:
    """Keys, a JSON object a line: plain, in DynamoDB JSON, or a line of a report.

    They are returned as `operate.reconcile.fingerprints.key_text` writes them. Raises
    `InvalidRequestError`.
    """
    schema = Schema(member.keys, dict(zip(member.keys, member.types, strict=True)))
    texts = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            texts.append(key_text(parse_line(_key_in(line, member), schema), member.keys))
        except (ValueError, RecursionError) as error:  # a BadItemError is a ValueError
            raise InvalidRequestError(
                f"Line {number} is no key of these tables: {error}."
            ) from error
    return texts


def _key_in(line: str, member: MemberConnection) -> bytes:
    """The key's own text, of a line that may be one of a report.

    Items may have attributes of a report's names; but a report's line has no other, and its key has
    just the attributes that these tables' keys have.
    """
    told = json.loads(line)
    match told:
        case {"key": {**key}, "kind": str(), "members": {}} if len(told) == 3:
            if key.keys() == set(member.keys):
                return json.dumps(key).encode()
    return line.encode()


def json_line(document: Any) -> str:
    """A line of a report."""
    return json.dumps(document, ensure_ascii=False)
