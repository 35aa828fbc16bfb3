"""Take each rule out, and find the smallest scope that notices.

``python -m tests.exhaust.mutants`` prints the table that stands in docs/explanation/guarantees.md:
scopes are tried from the smallest on, each to its end, so that no smaller one of them notices.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tests.exhaust.requests import OTHERWISE, check
from tests.exhaust.scope import EDITED, WRITES, Scope
from tests.exhaust.search import Bounds, Search
from tests.exhaust.table import format_result
from tests.mutation.cut import Cut, without
from tests.mutation.mutants import MUTANTS, Mutant, hunt_all

_COPIED = ("handler", "operate", "tests/simulation", "tests/exhaust", "tests/mutation", "ring")
_HUNT = """
import sys
from tests.exhaust.mutants import hunt_here
from tests.exhaust.scope import Scope
hunt_here(float(sys.argv[1]), eval(sys.argv[2], {"Scope": Scope}), sys.argv[3])
"""

_TWO, _THREE = Scope(2, 2), Scope(3, 2)
_WRITING = ("put", "update", "delete")
_EXPIRES = Scope(2, 2, expiry_travels=True)


LADDER = [
    Scope(2, 1),
    Scope(3, 1),
    Scope(2, 1).with_faults("throttle"),
    Scope(2, 1).with_faults("expiry"),
    Scope(2, 1).with_faults("loss"),
    Scope(2, 1).with_faults("repair"),
    Scope(2, 1).with_faults("backfill"),
    Scope(2, 1, adopted=True),
    Scope(3, 1, adopted=True),
    _TWO,
    Scope(2, 2, operations=WRITES),
    _TWO.with_faults("crash"),
    _TWO.with_faults("start over"),
    Scope(2, 2, later=True, skews=(0, 1)),
    Scope(2, 2, batch=3),
    _THREE,
    Scope(3, 2, order=(0, 2, 1)),
    replace(_TWO, batch=2).with_faults("throttle"),
    replace(_TWO, operations=("put",)).with_faults("quarantine"),
    Scope(2, 3),
    Scope(2, 3, operations=_WRITING, keeps_tombstones=False),
    _EXPIRES.with_faults("expiry"),
    _TWO.with_faults("crash", most=2),
    _TWO.with_faults("backfill"),
    replace(_THREE, operations=("put",)).with_faults("empty"),
    _TWO.with_faults("repair"),
    _TWO.with_faults("quarantine"),
    _THREE.with_faults("crash"),
    Scope(2, 3, batch=3),
    Scope(2, 3, operations=EDITED),
    Scope(3, 2, operations=EDITED),
    Scope(4, 2),
    Scope(2, 3, operations=("put",)).with_faults("quarantine"),
    Scope(2, 3).with_faults("crash"),
    Scope(2, 3).with_faults("empty"),
    _EXPIRES.with_faults("expiry", "crash", most=2),
    _EXPIRES.with_faults("expiry", "start over", most=2),
    Scope(2, 3, batch=2).with_faults("start over"),
    Scope(2, 4, operations=("put", "delete")),
    Scope(2, 4, operations=("put", "delete", "delete a stub")),
    Scope(2, 4, operations=("put", "delete"), batch=2),
    Scope(2, 3, operations=WRITES),
    Scope(3, 3),
    Scope(2, 4, operations=("put", "delete")).with_faults("crash"),
]

_RUN_BY: dict[str, Callable[[Scope], bool]] = {
    "handler/protocol/coalesce.py": lambda scope: scope.batch > 1,
    "handler/protocol/expiry_delete.py": lambda scope: scope.expiry_travels,
    "handler/protocol/replay.py": lambda scope: "quarantine" in scope.faults,
    "operate/reconcile/backfill_key.py": lambda scope: scope.fills,
    "operate/reconcile/repair_key.py": lambda scope: scope.fills or scope.repairs,
}
"""Which scopes run a file's rules. All others are run by all."""


def runs(scope: Scope, file: str) -> bool:
    """Return whether a scope runs the rules of a file."""
    return file not in _RUN_BY or _RUN_BY[file](scope)


@dataclass(frozen=True)
class Noticed:
    """The first scope that noticed, and after how many states."""

    scope: str
    states: str
    promise: str


@dataclass(frozen=True)
class Hunt:
    """What noticed, or why nothing did."""

    noticed: Noticed | None = None
    cut_short: str = ""
    """The scope that was not run to its end."""


RULES = [
    *MUTANTS,
    Mutant(
        "refused by an earlier write of its member, a delete without a tombstone comes after",
        "handler/protocol/replicate.py",
        "        if change.expired or won is None or "
        "not is_earlier_local_write(won, change, hop):\n",
        "        if True:\n",
    ),
    Mutant(
        "an expiry finishes its own stub, whatever was deleted since",
        "handler/protocol/expiry_delete.py",
        "            return stub\n",
        "            return None\n",
    ),
    Mutant(
        "what a copy replaced comes back when its expiry is refused",
        "handler/protocol/replicate.py",
        "    await _restore_newer_write(change, hop, delete)\n"
        "    return Outcome(Action.REFUSED)  # No",
        "    await yield_to_newer(change, hop, outcome, delete)\n"
        "    return Outcome(Action.REFUSED)  # No",
    ),
    Mutant(
        "a backfill names only those who have the item",
        "operate/reconcile/backfill_key.py",
        "        if _has(state, write)\n",
        "",
    ),
    Mutant(
        "a backfill takes what the next member has newer",
        "operate/reconcile/backfill_key.py",
        "newest is not None and newest.version > write.version",
        "newest is not None and newest.is_delete and newest.version > write.version",
    ),
    Mutant(
        "an item beside the tombstone of the newest delete was written after it",
        "operate/reconcile/backfill_key.py",
        " if deleted is None else _stamp_after(deleted, path, item)\n",
        "\n",
    ),
    Mutant(
        "... where it is still there",
        "operate/reconcile/backfill_key.py",
        " or (deleted is not None and await path.source.store.read(key) != item)",
        "",
    ),
]


def hunt_here(seconds: float, scopes: Sequence[Scope], file: str) -> None:
    """Run scopes on the handler as it is, until one fails; print what it was, and its place.

    If time is up before that, print only which scope was not run to its end.

    Args:
        seconds: the most for all of them; what is left is printed as well.
        scopes: the scopes.
        file: which file a rule was taken out of. Scopes of one key know nothing of requests for
            several.
    """
    if file.endswith("batching.py"):
        checked = check()
        if checked.failed:
            lines = ("two keys in a request", f"{checked.answers:,} answers", OTHERWISE)
            sys.stdout.write("\n".join(lines) + "\n")
        return
    for place, scope in enumerate(scopes):
        result = Search(scope).run(Bounds(seconds=seconds, first_failure=True))
        seconds -= result.seconds
        if result.failures:
            found = (format_result(result), f"{result.states:,}", result.failures[0].kind)
            sys.stdout.write("\n".join((*found, f"{place}", f"{seconds}")) + "\n")
            return
        if not result.is_whole:
            sys.stdout.write(format_result(result) + "\n")
            return


def hunt(mutant: Mutant, seconds: float, scopes: Sequence[Scope] = tuple(LADDER)) -> Hunt:
    """Run scopes on a mutant, from the smallest on, until one notices or time is up.

    A scope in which the handler as it is fails within as many states shows nothing. Nor does one
    that does not run the mutant's file: it is left out.
    """
    scopes = [scope for scope in scopes if runs(scope, mutant.file)]
    with without(Cut(mutant.file, mutant.old, mutant.new), _COPIED) as folder:
        while scopes:
            asked = [sys.executable, "-c", _HUNT, str(seconds), repr([*scopes]), mutant.file]
            run = subprocess.run(asked, cwd=folder, capture_output=True, text=True, check=False)
            if run.returncode:
                last = run.stderr.strip().splitlines()[-1]
                return Hunt(Noticed("-", "-", f"the search ends: {last}"))
            found = run.stdout.strip().splitlines()
            if len(found) <= 1:
                return Hunt(cut_short="".join(found))
            noticed, rest = Noticed(*found[:3]), found[3:]
            if not rest or not _fails_as_it_is(scopes[int(rest[0])], noticed):
                return Hunt(noticed)
            scopes, seconds = scopes[int(rest[0]) + 1 :], float(rest[1])
    return Hunt()


def _fails_as_it_is(scope: Scope, noticed: Noticed) -> bool:
    """Return whether the handler with all its rules fails, too, within as many states."""
    states = int(noticed.states.replace(",", ""))
    return bool(Search(scope).run(Bounds(most_states=states, first_failure=True)).failures)


def main() -> int:
    """Print the table; 1 if a rule went unnoticed."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.exhaust.mutants",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", default="", metavar="WORDS", help="rules that have these words")
    parser.add_argument("--minutes", type=float, default=10, help="the most for a rule")
    options = parser.parse_args()
    chosen = [mutant for mutant in RULES if options.only in mutant.rule]
    if not chosen:
        parser.error(f"no rule has the words {options.only!r}")
    sys.stdout.write("| without the rule | smallest scope | states | broken promise |\n")
    sys.stdout.write("| --- | --- | ---: | --- |\n")
    unnoticed = 0
    seconds = options.minutes * 60
    for mutant, found in hunt_all(chosen, lambda mutant: hunt(mutant, seconds)):
        unnoticed += found.noticed is None
        sys.stdout.write(f"| {mutant.rule} | {_row(found)} |\n")
        sys.stdout.flush()
    return 1 if unnoticed else 0


def _row(found: Hunt) -> str:
    if found.noticed is not None:
        return f"{found.noticed.scope} | {found.noticed.states} | {found.noticed.promise}"
    return f"none, up to {found.cut_short or 'the last'} | | none"


if __name__ == "__main__":
    sys.exit(main())
