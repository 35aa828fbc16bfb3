"""The command that tells what a check of whole tables takes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import click

from commands.cost import bill_document, price_list, show_bill, size_of_item
from commands.exit_codes import OK
from commands.framework import RingCommand, command, examples
from commands.options.numbers import Finite
from commands.options.rings import described_rings_option
from commands.output.screen import Screen
from commands.setting_change import only_ring
from operate.deployment.stack import RingStack
from operate.pricing.bill import total
from operate.pricing.prices import PriceList
from operate.pricing.table_size import (
    MOST_AT_ONCE,
    Functions,
    Tables,
    Takes,
    Way,
    apart,
    sorted_here,
)
from ring.settings.members import members_of
from ring.text import counted

_SIZES = {"MB": 1024**2, "GB": 1024**3, "TB": 1024**4}


def _size(_context: Any, _option: Any, text: str) -> int:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([MGT]B)", text, re.IGNORECASE)
    size = round(float(found[1]) * _SIZES[found[2].upper()]) if found else 0
    if not size:
        raise click.BadParameter(f"{text!r} is no size of a table. Write 50GB or 1TB.")
    return size


@click.command(
    cls=RingCommand,
    epilog=examples(
        "automate.py estimate --stack prod --size 1TB --item 1KB",
        "automate.py estimate --stack prod --size 50GB --item 700B --rate 5000 --json",
    ),
)
@command
@described_rings_option
@price_list
@click.option("--size", callback=_size, required=True, help="Of each table: 50GB, 1TB.")
@click.option(
    "--item", callback=size_of_item, default="1KB", show_default=True, help="Size of an item."
)
@click.option(
    "--megabits",
    type=Finite(min=0, min_open=True),
    default=1000,
    show_default=True,
    help="A second, of this machine's line to AWS.",
)
@click.option(
    "--rate",
    type=Finite(min=0, min_open=True),
    default=Tables.rate,
    show_default=True,
    help="Items a second that one process reads and compares, where it waits for nothing. "
    "`make bench-check` measures it with answers that are made up.",
)
@click.option(
    "--segments",
    type=click.IntRange(1, 1_000_000),
    default=1000,
    show_default=True,
    help="Of each table, where they are read apart.",
)
@click.option(
    "--at-once",
    type=click.IntRange(1, MOST_AT_ONCE),
    default=100,
    show_default=True,
    help="Segments at a time, of all tables together.",
)
@click.option(
    "--round-trip",
    type=Finite(min=0),
    default=100,
    show_default=True,
    help="Milliseconds of a call from a function to a member.",
)
def estimate(screen: Screen, rings: Sequence[RingStack], prices: PriceList, **given: Any) -> int:
    """Tell what a check of a ring takes, in money, time and disk, for tables of a given size.

    Two ways beside each other: sorted on this machine, outside of AWS, as `check` does; and in
    segments apart, in functions, as `check --distributed` does. Nothing is asked of AWS.
    """
    regions = [member.region for member in members_of(only_ring(rings).settings())]
    known = prices.of_all(regions)
    tables = Tables(len(regions), given["size"], given["item"], given["rate"])
    functions = Functions(given["segments"], given["at_once"], given["round_trip"] / 1000)
    ways = {
        "sorted here": sorted_here(tables, known, given["megabits"]),
        "apart, in functions": apart(tables, known, functions),
    }
    document = {
        "ok": True,
        "prices_of": prices.date,
        "guessed": prices.regions_without_prices(dict.fromkeys(regions)),
        "tables": asdict(tables) | {"items": round(tables.items)},
        "ways": {name: _document(way) for name, way in ways.items()},
    }
    screen.emit(document, lambda: _show(screen, ways, document))
    return OK


def _document(way: Way) -> dict[str, Any]:
    return {
        "bill": bill_document(way.bill),
        "times": [asdict(one) for one in way.times],
        "needs": [asdict(one) for one in way.needs],
        "hours": way.longest.quantity,
    }


def _show(screen: Screen, ways: Mapping[str, Way], document: Mapping[str, Any]) -> None:
    told = document["tables"]
    tables = counted(told["members"], "table")
    screen.print(f"{tables} of {counted(told['items'], 'item')} each.\n")
    for name, way in ways.items():
        show_bill(screen, (name, "quantity"), way.bill)
        rows = [_row(one) for one in (*way.times, *way.needs)]
        screen.print("")
        screen.table(["", "takes", "", "how"], rows)
        screen.print(
            f"So {total(way.bill):,.0f} dollars and {way.longest.quantity:,.1f} hours, "
            f"decided by {way.longest.name}.\n"
        )
    screen.print(f"Prices of {document['prices_of']}.")
    if document["guessed"]:
        screen.print(
            f"! No prices of {', '.join(document['guessed'])} are known here: those of us-east-1 "
            "stand in. Say them with --price or --prices."
        )


def _row(one: Takes) -> tuple[str, str, str, str]:
    return (one.name, f"{one.quantity:,.1f}", one.unit, one.formula)
