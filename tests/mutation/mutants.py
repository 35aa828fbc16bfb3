"""Take the protocol's rules out, one by one, and see that the simulation notices.

``python -m tests.mutation.mutants`` prints the table in docs/explanation/guarantees.md. A rule
that can be taken out unnoticed is either not needed or not tested.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.mutation.cut import Cut, without
from tests.simulation.schedule import first_failure
from tests.simulation.shapes import SHAPES

_HUNT = """
import sys
from tests.simulation.schedule import first_failure
from tests.simulation.shapes import SHAPES
found = first_failure(SHAPES[sys.argv[1]], range(int(sys.argv[2]), int(sys.argv[3])))
print(*found or "", sep="\\n")
"""


@dataclass(frozen=True)
class Mutant:
    """The handler without one rule of docs/explanation/protocol.md."""

    rule: str
    file: str
    old: str
    """What stands in the file, exactly once."""
    new: str
    shape: str = "plain"
    within: int = 3_000
    """How many schedules are enough to notice."""
    near: int = 0
    """Shortly before the first that notices, if that is far off: where the tests look first."""


@dataclass(frozen=True)
class Caught:
    """How the simulation noticed."""

    schedules: int
    promise: str


def hunt(mutant: Mutant, schedules: range | None = None) -> Caught | None:
    """Run the simulation on the mutant until it breaks a promise or has run all ``schedules``.

    They are the first ``within`` ones by default. A schedule in which the handler as it is breaks a
    promise, too, shows nothing, and is passed over.

    Raises:
        MutantError: the text to replace is not there, or there more than once.
    """
    chosen = schedules or range(mutant.within)
    cut = Cut(mutant.file, mutant.old, mutant.new)
    with without(cut, ("handler", "operate", "tests/simulation")) as folder:
        while True:
            seed, promise = _first_failure(folder, mutant.shape, chosen)
            if seed is None:
                return None
            if first_failure(SHAPES[mutant.shape], [seed]) is None:
                return Caught(seed + 1, promise)
            chosen = range(seed + 1, chosen.stop)


def _first_failure(folder: Path, shape: str, schedules: range) -> tuple[int | None, str]:
    """Return the first schedule that breaks a promise of the handler in a folder, and which."""
    bounds = [str(schedules.start), str(schedules.stop)]
    command = [sys.executable, "-c", _HUNT, shape, *bounds]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    seed, promise = run.stdout.strip().splitlines() or (None, "")
    return None if seed is None else int(seed), promise


_IMAGE, _DECIDE = "handler/model/image.py", "handler/protocol/decide.py"
_REPLICATE, _APPLY = "handler/protocol/replicate.py", "handler/protocol/apply.py"
_LOCAL, _CONFLICTS = "handler/protocol/local_change.py", "handler/protocol/conflicts.py"
_EXPIRY = "handler/protocol/expiry_delete.py"
_REPAIR, _BATCHING = "operate/reconcile/repair_key.py", "handler/store/batching.py"
_REPLAY, _COALESCE = "handler/protocol/replay.py", "handler/protocol/coalesce.py"

MUTANTS = [
    Mutant(
        "the digest distinguishes dirty from clean",
        _IMAGE,
        "return self.version is not None and self.version.digest == digest(self.item)",
        "return self.version is not None",
    ),
    Mutant(
        "an older copy put back is a local write",
        _DECIDE,
        "if write is None or _is_rollback(old, write.version):",
        "if write is None:",
        "copies",
    ),
    Mutant(
        "the second half of an arrived delete is no delete",
        _DECIDE,
        "return StubRemoved(stub, with_update=not old.is_stub)",
        "return LocalDelete()",
    ),
    Mutant(
        "a version is above all that it follows",
        _DECIDE,
        "if base is not None and base.seconds >= change.seconds:",
        "if False:",
    ),
    Mutant(
        "refused by an earlier write of one's own, it comes after",
        _LOCAL,
        "        if is_known or is_earlier_local_write(version, change, hop):\n",
        "        if is_known:\n",
    ),
    Mutant(
        "below the tombstone here, it comes after that delete",
        _LOCAL,
        "    if tombstone is None or tombstone.version <= write.version:",
        "    if True:",
    ),
    Mutant(
        "... only while an application's item stands here",
        _LOCAL,
        "    if _is_still_current(change, current):\n",
        "    if True:\n",
    ),
    Mutant(
        "an arrival whose origin is next stops",
        _REPLICATE,
        "if write.version.replica == hop.target_replica.id or "
        "write.is_known_at(hop.target_replica.id):",
        "if write.is_known_at(hop.target_replica.id):",
    ),
    Mutant(
        "... but gives back what it replaced here and is newer",
        _REPLICATE,
        "if arrival.replaced_dirty or (found_nothing and ",
        "if (found_nothing and ",
    ),
    Mutant(
        "the second half of a delete sees to the tombstone",
        _REPLICATE,
        "            await hop.source.put_tombstone(change.key, removed.delete)\n",
        "            pass\n",
        "storm",
        8_000,
        near=7_500,
    ),
    Mutant(
        "refused by a newer write of this member, it gives that back here",
        _REPLICATE,
        "    found = await _restore_newer_write(change, hop, write)\n    conflicts = (",
        "    await yield_to_newer(change, hop, outcome, write)\n"
        "    found = Comparison(None, None)\n    conflicts = (",
    ),
    Mutant(
        "the next member's higher version of the same write is taken over here",
        _REPLICATE,
        "            return not here.is_later_write(newer)\n",
        "            return False\n",
        "rejoin",
        23_000,
        near=22_900,
    ),
    Mutant(
        "a write that was put above another replaces what is older at its origin, too",
        _REPLICATE,
        "        await _replace_older_at_origin(change, write, hop)\n",
        "        pass\n",
        "commands-storm",
        20_200,
        near=20_100,
    ),
    Mutant(
        "a change that was made over a write comes after any version of that",
        _LOCAL,
        "        if is_known or is_earlier_local_write(version, change, hop):\n",
        "        if is_earlier_local_write(version, change, hop):\n",
        "commands-storm",
        47_200,
        near=47_100,
    ),
    Mutant(
        "a refused local write restores nothing here",
        _CONFLICTS,
        "    deleted = await _clear_ends(change, hop, lost)\n",
        "    from handler.protocol.apply import restore_newer_write\n"
        "    await restore_newer_write(hop.source, hop.target, change.key, None, lambda *_: True)\n"
        "    deleted = ()\n",
        "storm",
        near=2_800,
    ),
    Mutant(
        "an update that goes with its stub comes back",
        _REPLICATE,
        "    if not removed.with_update:\n",
        "    if True:\n",
        "aimed",
    ),
    Mutant(
        "... and a delete of it that is tried again is still the application's",
        _REPLICATE,
        "    if is_own or not is_recorded:",
        "    if not is_recorded:",
        "repair-storm",
        29_000,
        near=28_500,
    ),
    Mutant(
        "a created arrival is held against the tombstone here",
        _REPLICATE,
        "if tombstone is not None and tombstone.version > write.version:",
        "if False:",
        near=700,
    ),
    Mutant(
        "an absent item is created only past next's tombstone",
        _APPLY,
        "if tombstone is not None and tombstone.version > write.version:",
        "if False:",
    ),
    Mutant(
        "a delete's tombstone is recorded at next",
        _APPLY,
        "        await store.put_tombstone(key, stub)\n",
        "",
    ),
    Mutant(
        "a local delete's tombstone is recorded here",
        _LOCAL,
        "            write = await record_delete_at_source(change, write, hop)",
        "            pass",
    ),
    Mutant(
        "a delete that is tried again keeps its version",
        _LOCAL,
        "            return kept\n        else:\n",
        "            return delete\n        else:\n",
        "storm",
        6_000,
        near=5_100,
    ),
    Mutant(
        "a delete that was done spares what was put since",
        _APPLY,
        "condition = IfVersionOlder(delete.version) if was_done else IfOlder(delete.version)",
        "condition = IfOlder(delete.version)",
        near=2_700,
    ),
    Mutant(
        "a put over an item without a version may have hidden a delete",
        _LOCAL,
        "return not outcome.over_unversioned",
        "return True",
        "rejoin",
        24_000,
        near=5_500,
    ),
    Mutant(
        "the stub is taken away",
        _APPLY,
        "    removed = await store.delete_stub(key, stub.version)\n",
        "    removed = Written(None)\n",
    ),
    Mutant(
        "a stub that an application deletes before its tombstone is there is put again",
        _APPLY,
        "if not puts_again or isinstance(removed, Written) or removed.item is not None:",
        "if True:",
        "poison-storm",
        21_000,
        near=20_500,
    ),
    Mutant(
        "... and where a delete finds nothing, members are compared at the end of its lap",
        _REPLICATE,
        "    found_nothing = write.is_delete and arrival.created\n",
        "    found_nothing = False\n",
        "poison-storm",
        21_000,
        near=20_500,
    ),
    Mutant(
        "a stub that a crash left is finished",
        _APPLY,
        "stub = delete if isinstance(outcome, Written) else _left_by_a_crash(outcome, delete)",
        "stub = delete if isinstance(outcome, Written) else None",
        near=700,
    ),
    Mutant(
        "a dirty item is left to its record",
        _DECIDE,
        "    if image is not None and standing is None:\n        return None\n",
        "",
    ),
    Mutant(
        "an item that its tombstone has outlived is taken away",
        _APPLY,
        "if state is not None and state.is_stale:",
        "if False:",
    ),
    Mutant(
        "a stub that an application updates loses its mark",
        _LOCAL,
        "if {DELETED, VERSION} <= item.keys() and await hop.source.read(change.key) == item:",
        "if False:",
        "aimed",
        near=2_800,
    ),
    Mutant(
        "each member expires its own",
        _REPLICATE,
        "if not hop.replicates_expiry:",
        "if False:",
    ),
    Mutant(
        "an expiry comes right behind the write of what expired",
        _EXPIRY,
        "dated = replace(change, seconds=0)",
        "dated = change",
        "renewals",
    ),
    Mutant(
        "an expiry at its origin deletes nothing but the copy of what expired",
        _EXPIRY,
        "if not _is_copy(copy, expired, hop):",
        "if copy.version is None:",
        "renewals",
        near=800,
    ),
    Mutant(
        "the ring's attributes are set again",
        _DECIDE,
        "        **application_attributes(content),\n",
        "        **content,\n",
        "aimed",
        near=900,
    ),
    Mutant(
        "the records of a key that failed come again",
        "handler/batch.py",
        "                self.report.unprocessed.extend(undone)\n",
        "                self.report.unprocessed.extend(undone[1:])\n",
    ),
    Mutant(
        "a run of local writes follows what its first did",
        _COALESCE,
        "replace(then, old=first.old)",
        "then",
        within=4_000,
        near=2_600,
    ),
    Mutant(
        "... and is of local writes alone",
        _COALESCE,
        "changes = (first, then, merged)",
        "changes = (merged,)",
    ),
    Mutant(
        "what was left out and is played again alone, is given back here",
        _REPLAY,
        "await restore_newer_write(hop.source, hop.target, change.key, None, must_restore)",
        "pass",
        "poison",
    ),
    Mutant(
        "... and is what an application has made of it since",
        _REPLAY,
        "    later = _later_local_change(change, current, tombstone, hop)\n",
        "    later = None\n",
        "poison",
        near=2_900,
    ),
    Mutant(
        "a key that a batch leaves out is not without a tombstone",
        _BATCHING,
        '_error("ThrottlingException", "left out") for key in left_out',
        "None for key in left_out",
        "batched",
        7_000,
        near=6_400,
    ),
    Mutant(
        "a statement of a batch that was not executed is not done",
        _BATCHING,
        'return None if code in _NEEDS_SINGLE_CALL else _error(code, error.get("Message", ""))',
        "return None if code in _NEEDS_SINGLE_CALL else response",
        "batched",
    ),
    Mutant(
        "... nor is one that something else stood against",
        _BATCHING,
        'return None if code in _NEEDS_SINGLE_CALL else _error(code, error.get("Message", ""))',
        'return response if code in _NEEDS_SINGLE_CALL else _error(code, error.get("Message", ""))',
        "batched",
    ),
    Mutant(
        "what was there before the ring is older than all writes",
        _REPAIR,
        "(0, 0) if over is None",
        "(9_999_999_998, 0) if over is None",
        "adopted",
    ),
    Mutant(
        "what a backfill finds beside a delete is older than all later writes there",
        "operate/reconcile/backfill_key.py",
        "next(version for version in versions if version > deleted)",
        "[*versions][-1]",
        "adopted",
        82_700,
        near=82_600,
    ),
    Mutant(
        "an item that nobody else knows of goes to all, whichever is preferred",
        _REPAIR,
        "return unsent[0] if len(contents) == 1 else None",
        "return None",
        "lost",
        6_200,
        near=6_050,
    ),
    Mutant(
        "what an operator decides is no member's own write, and goes to all",
        _REPAIR,
        "write = stamp(item, targets[winner].for_operator, highest)\n"
        "        return _Plan(write, "
        "sorted(range(len(targets)), key=lambda place: place != winner))",
        "write = stamp(item, targets[winner].replica, highest)\n"
        "        return _Plan(write, "
        "[place for place in range(len(targets)) if place != winner])",
        "repair-storm",
        10_000,
        near=1_000,
    ),
]


def main() -> int:
    """Print the table; 1 if a mutant lives."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutation.mutants",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", default="", metavar="WORDS", help="rules that have these words")
    words = parser.parse_args().only
    chosen = [mutant for mutant in MUTANTS if words in mutant.rule]
    if not chosen:
        parser.error(f"no rule has the words {words!r}")
    survived = 0
    sys.stdout.write("| without the rule | shape | noticed after | broken promise |\n")
    sys.stdout.write("| --- | --- | ---: | --- |\n")
    for mutant, caught in hunt_all(chosen, hunt):
        survived += caught is None
        row = f"{caught.schedules:,} | {caught.promise}" if caught else "NEVER | none"
        sys.stdout.write(f"| {mutant.rule} | {mutant.shape} | {row} |\n")
        sys.stdout.flush()
    return 1 if survived else 0


_Found = TypeVar("_Found")


def hunt_all(
    mutants: Sequence[Mutant], hunt: Callable[[Mutant], _Found]
) -> Iterator[tuple[Mutant, _Found]]:
    """Hunt for mutants on all cores; yield what was found of each, in their order."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from zip(mutants, pool.map(hunt, mutants), strict=True)


if __name__ == "__main__":
    sys.exit(main())
