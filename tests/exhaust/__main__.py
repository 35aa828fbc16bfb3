"""Run every schedule of a small scope: ``python -m tests.exhaust --set ci``.

A scope is so many members and writes, which writes, and what may go wrong. Each of its states is
looked at once. Prints a table of scopes, and for each promise that was broken the shortest schedule
that breaks it, call by call, as a sequence diagram, and the command that replays it. Ctrl-C
ends it with what was found so far (exit code 130); 1: a promise was broken; 4: a scope was not run
to its end.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from multiprocessing import get_context
from threading import Event
from typing import Any

from tests.exhaust.options import read, scopes_of
from tests.exhaust.requests import check
from tests.exhaust.scope import Scope
from tests.exhaust.search import Bounds, Result, Search
from tests.exhaust.story import story_of
from tests.exhaust.table import HEAD, Stage, command, format_progress, format_result, row

BROKEN, CUT_SHORT, INTERRUPTED = 1, 4, 130
_SHOW_EVERY = 5.0


def main() -> int:
    """Run the scopes that the command line names."""
    options = read(__doc__)
    scopes = scopes_of(options)
    if options.schedule is not None:
        return _replay(scopes[0], options.schedule)
    interrupted = Event()
    signal.signal(signal.SIGINT, lambda *_: interrupted.set())
    if options.requests:
        return _requests()
    bounds = Bounds(
        most_states=options.most_states,
        seconds=options.minutes * 60,
        first_failure=options.first_failure,
        should_stop=interrupted.is_set,
    )
    results: list[Result] = []
    if not options.json:
        _say(HEAD)
    for result in _results(scopes, bounds, options.processes, interrupted):
        results.append(result)
        if not options.json:
            _say(row(result))
    if options.json:
        _say(json.dumps([_as_json(result) for result in results]))
    else:
        for result in results:
            _explain(result)
    return _code(results, interrupted.is_set() or len(results) < len(scopes))


def _results(
    scopes: list[Scope], bounds: Bounds, processes: int, interrupted: Event
) -> Iterator[Result]:
    if processes == 1:
        for scope in scopes:
            if not interrupted.is_set():
                yield run(scope, bounds)
        return
    plain = Bounds(bounds.most_states, bounds.seconds, bounds.first_failure)
    # A process of its own for each scope gives its memory back at the end.
    with get_context("fork").Pool(processes, maxtasksperchild=1) as pool:
        yield from pool.imap(_run_quietly, ((scope, plain) for scope in scopes))


def _run_quietly(job: tuple[Scope, Bounds]) -> Result:
    stopped = Event()
    signal.signal(signal.SIGINT, lambda *_: stopped.set())
    scope, bounds = job
    with_stop = Bounds(bounds.most_states, bounds.seconds, bounds.first_failure, stopped.is_set)
    return run(scope, with_stop)


def run(scope: Scope, bounds: Bounds) -> Result:
    """Run one scope, and show how far it is."""
    stage = Stage(time.monotonic())

    def show(result: Result, waiting: int) -> None:
        now = time.monotonic()
        if now - stage.shown > _SHOW_EVERY:
            stage.shown = now
            sys.stderr.write(format_progress(result, waiting) + "\n")

    return Search(scope).run(bounds, show)


def _replay(scope: Scope, schedule: list[int]) -> int:
    try:
        story = story_of(scope, schedule)
    except ValueError as error:
        sys.stderr.write(f"{error}. Give the options that the failure was found with.\n")
        return 2
    _say("\n".join(story.lines))
    _say("" if story.error else "All promises were kept.")
    if story.error:
        _say(f"```mermaid\n{story.diagram()}\n```")
    return BROKEN if story.error else 0


def _requests() -> int:
    """Make every request for two keys, and say what came of it."""
    checked = check()
    _say(f"Two keys in a request: {checked.answers:,} answers, {checked.failed or '0 failed'}")
    return BROKEN if checked.failed else 0


def _explain(result: Result) -> None:
    for failure in result.failures:
        _say(f"\n{format_result(result)}: {failure.kind}. The shortest schedule:\n")
        story = story_of(failure.scope, failure.schedule)
        _say("\n".join(story.lines))
        if story.error is None:
            _say("Told alone, this schedule keeps all promises: the search itself has a mistake.")
        _say(f"\n```mermaid\n{story.diagram()}\n```")
        _say(f"\nIt again:\n  {command(failure)}")


def _as_json(result: Result) -> dict[str, Any]:
    document = asdict(result)
    for failure, one in zip(document["failures"], result.failures, strict=True):
        del failure["scope"]
        failure |= {"kind": one.kind, "command": command(one)}
    return document


def _code(results: list[Result], was_interrupted: bool) -> int:
    if any(result.failures for result in results):
        return BROKEN
    if was_interrupted:
        return INTERRUPTED
    return 0 if all(result.is_whole for result in results) else CUT_SHORT


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
