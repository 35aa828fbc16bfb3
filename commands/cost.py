"""The command `cost`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from functools import wraps
from pathlib import Path
from typing import Any

import click

from commands.exit_codes import OK
from commands.framework import RingCommand, command, examples
from commands.options.numbers import Finite, parse_percentage
from commands.options.rings import described_rings_option
from commands.output.screen import Screen
from commands.setting_change import only_ring
from operate.deployment.stack import RingStack
from operate.errors import InvalidRequestError
from operate.pricing.bill import BillLine, Index, Load, RingProfile, total
from operate.pricing.prices import SHIPPED, PriceList
from operate.pricing.ring_cost import global_tables, ring
from ring.settings.members import members_of
from ring.settings.settings import Settings

_SIZES = {"": 1, "B": 1, "KB": 1024}
_MAX_SIZE = 400 * 1024
_MAX_WRITES, _MAX_ROUND_TRIP = 10**9, 60_000


def size_of_item(_context: Any, _option: Any, text: str) -> int:
    """Bytes, of a text such as 700B or 2KB."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(B|KB|)", text, re.IGNORECASE)
    size = float(found[1]) * _SIZES[found[2].upper()] if found else 0.0
    if not 0.5 < size <= _MAX_SIZE:
        raise click.BadParameter(
            f"{text!r} is not the size of an item. Write 700B or 2KB, up to 400KB."
        )
    return round(size)


def _share(_context: Any, _option: Any, text: str) -> float:
    share = parse_percentage(text)
    if share is None:
        raise click.BadParameter(
            f"{text!r} is not a share. Write it with a percent sign: 5%, up to 100%."
        )
    return share


def _load(function: Callable[..., int]) -> Callable[..., int]:
    """Give a command `load`."""

    @click.option(
        "--writes",
        type=Finite(min=0, max=_MAX_WRITES),
        required=True,
        metavar="NUMBER",
        help="Application writes per second, all members together.",
    )
    @click.option(
        "--size",
        callback=size_of_item,
        default="1KB",
        show_default=True,
        metavar="SIZE",
        help="Size of an item, such as 700B or 2KB.",
    )
    @click.option(
        "--deletes",
        callback=_share,
        default="0%",
        show_default=True,
        metavar="SHARE",
        help="Share of writes that are deletes, for example 5%.",
    )
    @click.option(
        "--inserts",
        callback=_share,
        default="0%",
        show_default=True,
        metavar="SHARE",
        help="Share of writes that create an item, for example 20%.",
    )
    @click.option(
        "--projected",
        callback=size_of_item,
        default="200B",
        show_default=True,
        metavar="SIZE",
        help="Size of an item in a global index that does not project all of it.",
    )
    @wraps(function)
    def command(**given: Any) -> int:
        load = Load(**{field.name: given.pop(field.name) for field in fields(Load)})
        if load.deletes + load.inserts > 1:
            raise InvalidRequestError(
                "--deletes and --inserts are shares of the writes: 100% at most."
            )
        return function(load=load, **given)

    return command


def price_list(function: Callable[..., int]) -> Callable[..., int]:
    """Give a command `prices`."""

    @click.option(
        "--prices",
        "price_file",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        default=SHIPPED,
        help="Price list file. Default: the dated one of this program.",
    )
    @click.option(
        "--price",
        multiple=True,
        metavar="[REGION.]NAME=VALUE",
        help="Price that replaces one of the list; repeatable.",
    )
    @wraps(function)
    def command(price_file: Path, price: tuple[str, ...], **given: Any) -> int:
        prices = PriceList.read(price_file)
        prices.change(price)
        return function(prices=prices, **given)

    return command


@click.command(
    cls=RingCommand,
    epilog=examples(
        "automate.py cost --stack prod --writes 50 --size 2KB --deletes 5%",
        "automate.py cost --stack prod --writes 50 --price eu-west-1.write=0.705 --json",
    ),
)
@command
@described_rings_option
@_load
@price_list
@click.option(
    "--round-trip",
    type=Finite(min=0, max=_MAX_ROUND_TRIP),
    default=100,
    show_default=True,
    metavar="MILLISECONDS",
    help="Milliseconds of a request from a hop to its target.",
)
def cost(
    screen: Screen,
    rings: Sequence[RingStack],
    load: Load,
    prices: PriceList,
    round_trip: float,
) -> int:
    """Estimate a ring's monthly cost, and that of Global Tables.

    Item by item, with formulas, in US dollars, on demand, without free tiers. Without storage,
    backups and application reads, which cost the same in both. Assumes that updates do not change
    the keys of global indexes, and no conflicts or failures, which make a ring more expensive.
    Sends no request to AWS.
    """
    settings = only_ring(rings).settings()
    regions = [member.region for member in members_of(settings)]
    known = prices.of_all(regions)
    shape = _shape(settings, round_trip / 1000)
    bills = {"ring": ring(load, shape, known), "global tables": global_tables(load, shape, known)}
    warnings = _warnings(prices, settings)
    document = {
        "ok": True,
        "prices_of": prices.date,
        "warnings": warnings,
        "load": asdict(load),
        **{name.replace(" ", "_"): bill_document(lines) for name, lines in bills.items()},
    }
    screen.emit(document, lambda: _show(screen, bills, prices.date, warnings))
    return OK


def _shape(settings: Settings, round_trip: float) -> RingProfile:
    members = members_of(settings)
    # With all members in the ring, as `_warnings` says: else one has more hops than members.
    pairs = zip(members, (*members[1:], members[0]), strict=True)
    accounts = {(member.partition, member.credentials) for member in members}
    return RingProfile(
        members=len(settings.members),
        crossing=sum(source.region != target.region for source, target in pairs),
        tombstones=settings.tombstones.enabled,
        memory=settings.function.memory,
        batch_size=settings.mapping.batch_size,
        window=settings.mapping.batching_window,
        round_trip=round_trip,
        indexes=tuple(
            Index(index.name, index.projection) for index in settings.table.global_indexes
        ),
        dashboards=len(accounts) if settings.monitoring.enabled else 0,
        beat_minutes=settings.heartbeat.every if settings.heartbeat.enabled else 0,
    )


def _warnings(prices: PriceList, settings: Settings) -> list[str]:
    warnings = []
    if guessed := prices.regions_without_prices(
        dict.fromkeys(member.region for member in settings.members)
    ):
        warnings.append(
            f"No prices for {', '.join(guessed)}: those of us-east-1 are used. Pass them with "
            "--price or --prices."
        )
    if any(member.state != "in" for member in settings.members):
        warnings.append("This is the cost with all members in the ring.")
    if settings.table.billing.mode != "PAY_PER_REQUEST":
        warnings.append("The tables have provisioned capacity; this is the cost on demand.")
    if any(member.kms_key for member in settings.members):
        warnings.append(
            "The requests to KMS for `kms_key`, and the keys themselves, are not counted "
            "(docs/how-to/estimate-cost.md)."
        )
    return warnings


def bill_document(lines: Sequence[BillLine]) -> dict[str, Any]:
    """A bill, for scripts."""
    return {
        "dollars": round(total(lines), 2),
        "lines": [asdict(line) | {"dollars": round(line.dollars, 2)} for line in lines],
    }


def _show(
    screen: Screen, bills: dict[str, list[BillLine]], date: str, warnings: Sequence[str]
) -> None:
    for name, lines in bills.items():
        show_bill(screen, (name, "a month"), lines)
        screen.print("")
    screen.print(f"Prices of {date}.")
    for warning in warnings:
        screen.print(f"! {warning}")


def show_bill(screen: Screen, heads: tuple[str, str], lines: Sequence[BillLine]) -> None:
    """Show a bill as a table; `heads` are those of names and quantities."""
    rows = [
        (line.name, f"{line.quantity:,.3f}", line.unit, f"{line.price:g}",
         f"{line.dollars:,.2f}", line.formula)
        for line in lines
    ]  # fmt: skip
    screen.table(
        [*heads, "", "price", "dollars", "how"],
        [*rows, ("total", "", "", "", f"{total(lines):,.2f}", "")],
    )
