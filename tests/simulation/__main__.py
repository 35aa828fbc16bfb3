"""Run the whole ring under many seeds: ``python -m tests.simulation --seeds 10000``.

Each seed decides on a ring, its writers and its faults. Prints how it goes, and for each kind of
promise that was broken its seeds, the shortest schedule found that still breaks it, with every
store call, and the commands that replay it. Ctrl-C ends it with what was found so far.
"""

import argparse
import multiprocessing
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from threading import Event

from tests.simulation.schedule import Failure, run_list, run_seed
from tests.simulation.shapes import SHAPES, Shape
from tests.simulation.shrink import shrink

_CHUNK = 50
_SHOWN = 10


def main() -> int:
    """Run the seeds that the command line names; 1 if any fails."""
    options = _parser().parse_args()
    if options.schedule is not None:
        failure = run_list(options.schedule, SHAPES[options.shape], traces_calls=True)
        _say("All promises were kept." if failure is None else _report(failure))
        return 0 if failure is None else 1
    seeds = range(options.first, options.first + options.seeds)
    done, failures = _run_all(options.shape, seeds)
    by_kind: dict[str, list[int]] = defaultdict(list)
    for seed, failure in failures.items():
        by_kind[failure.kind].append(seed)
    for found in by_kind.values():
        _explain(options.shape, found, failures[found[0]])
    _say(f"{done} schedules of the shape {options.shape}, {len(failures)} failed")
    if done < len(seeds):
        rest = f"--first {seeds[done]} --seeds {len(seeds) - done}"
        _say(f"Interrupted. To go on: python -m tests.simulation --shape {options.shape} {rest}")
        return 130
    return 1 if failures else 0


def _parser() -> argparse.ArgumentParser:
    shapes = "\n".join(f"  {name:12} {shape.about}" for name, shape in SHAPES.items())
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation",
        description=f"{__doc__}\nshapes:\n{shapes}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seeds", type=_count, default=20_000, help="how many (default: 20000)")
    parser.add_argument("--first", type=_number, default=0, help="the first seed (default: 0)")
    parser.add_argument("--shape", choices=SHAPES, default="plain", help="default: plain")
    parser.add_argument(
        "--schedule", type=_decisions, help="replay one schedule, as a failure prints it"
    )
    return parser


def _count(text: str) -> int:
    number = _number(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} schedules prove nothing: at least 1")
    return number


def _number(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def _decisions(text: str) -> list[int]:
    parts = text.split(".") if text else []
    if not all(part.isdecimal() for part in parts):
        raise argparse.ArgumentTypeError(
            f"a schedule is a row of numbers, as in 0.3.1, not {text!r}"
        )
    return [int(part) for part in parts]


def _run_all(shape: str, seeds: range) -> tuple[int, dict[int, Failure]]:
    """Run the seeds in order, until Ctrl-C; how many were run, and what failed."""
    begun = reported = time.monotonic()
    interrupted = Event()
    signal.signal(signal.SIGINT, lambda *_: interrupted.set())
    done, failures = 0, {}
    with multiprocessing.Pool(initializer=_leave_interrupts_alone) as pool:
        for seed, failure in pool.imap(_run, ((shape, seed) for seed in seeds), _CHUNK):
            done += 1
            if failure is not None:
                failures[seed] = failure
                _say(f"seed {seed}: {failure.kind}")
            if time.monotonic() - reported > 5:
                reported = time.monotonic()
                _say(_progress(done, len(seeds), reported - begun, len(failures)))
            if interrupted.is_set():
                break
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return done, failures


def _leave_interrupts_alone() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _run(job: tuple[str, int]) -> tuple[int, Failure | None]:
    shape, seed = job
    return seed, run_seed(seed, SHAPES[shape])


def _progress(done: int, of: int, seconds: float, failed: int) -> str:
    rate = done / seconds
    left = (of - done) / rate
    return f"{done} of {of}, {rate:.0f} a second, {left:.0f} s left, {failed} failed"


def _explain(name: str, seeds: list[int], failure: Failure) -> None:
    shown = ", ".join(str(seed) for seed in seeds[:_SHOWN]) + (" ..." if seeds[_SHOWN:] else "")
    _say(f"\n{len(seeds)} failed: {failure.kind}. Seeds: {shown}")
    _say(f"Making the schedule of seed {seeds[0]} shorter ...")
    short = shortest(failure, SHAPES[name])
    _say(_report(short))
    command = f"  python -m tests.simulation --shape {name}"
    _say(f"  The shorter schedule again:\n{command} --schedule {_dotted(short.choices)}")
    _say(f"  The whole schedule again:\n{command} --first {seeds[0]} --seeds 1\n")


def shortest(failure: Failure, shape: Shape, tries: int = 20_000) -> Failure:
    """The shortest schedule found that breaks the same promise."""

    def fails(made: Sequence[int]) -> bool:
        found = run_list(made, shape)
        return found is not None and found.kind == failure.kind

    found = run_list(shrink(failure.choices, fails, tries), shape, traces_calls=True)
    return failure if found is None else found


def _report(failure: Failure) -> str:
    return "\n".join(["", *failure.trace, failure.error, ""])


def _dotted(choices: list[int]) -> str:
    while choices and not choices[-1]:
        choices = choices[:-1]
    return ".".join(map(str, choices))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
