"""The command line of ``python -m tests.exhaust``."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from tests.exhaust.scope import FAULTS, PLAIN, WRITES, Scope
from tests.exhaust.scopes import SETS


def read(about: str | None, arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.exhaust",
        description=f"{about}\nwrites: {', '.join(WRITES)}\nfaults: {', '.join(FAULTS)}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_scope(parser.add_argument_group("a scope"))
    run = parser.add_argument_group("how it is run")
    run.add_argument("--set", choices=SETS, help="run a set of scopes instead of one")
    run.add_argument(
        "--requests", action="store_true", help="run requests for two keys instead of scopes"
    )
    run.add_argument(
        "--schedule", type=_numbers, help="replay one schedule, as a failure prints it"
    )
    run.add_argument("--minutes", type=float, default=float("inf"), help="the most for a scope")
    run.add_argument("--most-states", type=int, default=100_000_000, help="the most of a scope")
    run.add_argument("--first-failure", action="store_true", help="end a scope when it fails")
    run.add_argument("--processes", type=int, default=1, help="scopes side by side (default: 1)")
    run.add_argument("--json", action="store_true", help="print the results for scripts")
    options = parser.parse_args(arguments)
    try:
        scopes_of(options)
    except ValueError as error:
        parser.error(str(error))
    return options


def _add_scope(scope: argparse._ArgumentGroup) -> None:
    scope.add_argument("--members", type=int, default=2, help="2 to 4 (default: 2)")
    scope.add_argument("--writes", type=int, default=2, help="1 to 4 (default: 2)")
    scope.add_argument(
        "--operations", type=_words(WRITES), default=PLAIN, help=f"default: {','.join(PLAIN)}"
    )
    scope.add_argument("--faults", type=_words(FAULTS), default=(), help="default: none")
    scope.add_argument("--most-faults", type=int, help="how many (default: 1, if there are any)")
    scope.add_argument("--in-order", action="store_true", help="each fault once, in this order")
    scope.add_argument("--batch", type=int, default=1, help="the most records of a batch")
    scope.add_argument("--later", action="store_true", help="a write may be in a later second")
    scope.add_argument("--skews", type=_numbers, default=[], help="how wrong each clock is: 0,1")
    scope.add_argument("--order", type=_numbers, default=[], help="the members' ids: 0,2,1")
    scope.add_argument("--every-order", action="store_true", help="all orders of ids, in turn")
    scope.add_argument("--calm", action="store_true", help="write only to a ring at rest")
    scope.add_argument("--no-tombstones", action="store_true", help="keep no tombstones")
    scope.add_argument("--expiry-travels", action="store_true", help="an expiry is a delete")
    scope.add_argument("--falling", action="store_true", help="later contents' digests are lower")
    scope.add_argument("--adopted", action="store_true", help="an item is from before the ring")
    scope.add_argument(
        "--late-replays", action="store_true", help="a last write must win over what starts over"
    )
    scope.add_argument(
        "--no-watch", action="store_true", help="let older things come back for a moment"
    )


def scopes_of(options: argparse.Namespace) -> list[Scope]:
    """Return the scopes that are to be run.

    Raises:
        ValueError: there is no such scope.
    """
    if options.set is not None:
        return SETS[options.set]
    for name, numbers in (("skews", options.skews), ("order", options.order)):
        if numbers and len(numbers) != options.members:
            raise ValueError(f"--{name} has {len(numbers)} numbers for {options.members} members")
    if not 2 <= options.members <= 4 or not 1 <= options.writes <= 4:
        raise ValueError("a scope has 2 to 4 members and 1 to 4 writes")
    most = options.most_faults
    scope = Scope(
        members=options.members,
        writes=options.writes,
        operations=tuple(options.operations),
        faults=tuple(options.faults),
        most_faults=len(options.faults if options.in_order else options.faults[:1])
        if most is None
        else most,
        in_order=options.in_order,
        batch=options.batch,
        later=options.later,
        skews=tuple(options.skews),
        order=tuple(options.order),
        keeps_tombstones=not options.no_tombstones,
        expiry_travels=options.expiry_travels,
        adopted=options.adopted,
        falling=options.falling,
        calm=options.calm,
        late_replays=options.late_replays,
        watches=not options.no_watch,
    )
    return scope.orders() if options.every_order else [scope]


def _words(known: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    def read_words(text: str) -> tuple[str, ...]:
        words = tuple(word.strip() for word in text.split(","))
        unknown = [word for word in words if word not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(known)}")
        return words

    return read_words


def _numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.replace(".", ",").split(",") if part]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a row of numbers, as in 0.3.1") from None
