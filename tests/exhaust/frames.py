"""What a waiting coroutine still knows: two that know the same will do the same.

Most of what store calls answered is forgotten soon: it was compared, or the function that asked has
returned. What can still matter is in the coroutine's frames: where each stands, its local variables
that some path onward reads (liveness, by its bytecode), and what waits on its stack. Where bytecode
or a value is not understood, everything counts as known; that is never wrong, only slower.
"""

from __future__ import annotations

import dis
import gc
import types
from collections import Counter
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import lru_cache, partial
from typing import Any

from handler.batch import BatchContext, BatchReport
from handler.model.version import Version
from handler.protocol.hop import Conflict, Hop, Outcome

_PLAIN = (type(None), bool, int, float, str, bytes, Enum)
_NEVER_READ = (BatchContext, Hop, Outcome, Conflict, types.CodeType, types.ModuleType, type)
"""The same in all coroutines of a hop, or given to nobody whose decisions depend on it."""
_ENDS = {"RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE"}
_JUMPS_ALWAYS = {"JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT", "JUMP_ABSOLUTE"}


class UnknownValueError(Exception):
    """A value of which this module does not know what it holds."""


def knows(value: Any) -> tuple[Any, list[str | Version]]:
    """Return what a value knows, as something to compare, and the texts and versions in it."""
    look = _Look()
    return look.at(value), look.named


class _Look:
    """One look at a value, in which what is there several times is looked at once."""

    def __init__(self) -> None:
        self.named: list[str | Version] = []
        self._seen: dict[int, tuple[Any, Any]] = {}
        self._readers = self._all_readers()

    def at(self, value: Any) -> Any:
        """Return what a value knows."""
        if isinstance(value, _PLAIN):
            if isinstance(value, str | Version):
                self.named.append(value)
            return value
        if isinstance(value, _NEVER_READ):
            return type(value).__name__
        found = self._seen.get(id(value))
        if found is None:
            # The value is kept as well, or another could come to have its id.
            found = self._seen[id(value)] = (value, self._at(value))
        return found[1]

    def _at(self, value: Any) -> Any:
        for kinds, look in self._readers:
            if isinstance(value, kinds):
                return look(value)
        if hasattr(value, "knows"):
            return self.at(value.knows())
        if is_dataclass(value):
            return (type(value).__name__, *(self.at(getattr(value, f.name)) for f in fields(value)))
        if type(value).__name__.endswith("_iterator"):
            return self.at(list(value.__reduce__()[1:]))
        raise UnknownValueError(type(value).__name__)

    def _all_readers(self) -> list[tuple[Any, Callable[[Any], Any]]]:
        """How to look at values, by their types."""
        return [
            (dict, lambda it: ("dict", *((name, self.at(it[name])) for name in sorted(it)))),
            (list | tuple, lambda it: (type(it).__name__, *map(self.at, it))),
            (BatchReport, _in_report),
            (types.CoroutineType, lambda it: self._frame(it, it.cr_frame)),
            (types.GeneratorType, lambda it: self._frame(it, it.gi_frame)),
            (types.FunctionType, lambda it: (it.__qualname__, self.at([*(it.__closure__ or ())]))),
            (types.CellType, lambda it: self.at([it.cell_contents] if _is_full(it) else [])),
            (partial, lambda it: ("partial", self.at([it.func, it.args, it.keywords]))),
            (BaseException, lambda it: type(it).__name__),
            (types.BuiltinFunctionType, lambda it: it.__qualname__),
            (range, repr),
        ]

    def _frame(self, owner: Any, frame: types.FrameType | None) -> Any:
        """Return what a coroutine or generator knows."""
        if frame is None:
            return ("ended", type(owner).__name__)
        local = frame.f_locals
        live = _live(frame.f_code, frame.f_lasti)
        known = tuple((name, self.at(local[name])) for name in sorted(local) if name in live)
        return (owner.__qualname__, frame.f_lasti, known, self.at(_stack(owner, local)))


def _in_report(report: BatchReport) -> Any:
    """Return what of a batch's report decides anything: which records come again."""
    failures = tuple((one.record, type(one.error).__name__) for one in report.failures)
    return ("report", tuple(report.unprocessed), failures)


def _is_full(cell: types.CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


def _stack(owner: Any, local: dict[str, Any]) -> list[Any]:
    """Return what waits on a frame's stack, the coroutine that it awaits included."""
    named = Counter(id(value) for value in local.values())
    waiting = []
    for value in gc.get_referents(owner):
        if named[id(value)]:
            named[id(value)] -= 1
        elif value is not local and not isinstance(value, types.FrameType | str):
            waiting.append(value)
    return waiting


# -- liveness -----------------------------------------------------------------------------------


@lru_cache(maxsize=10_000)
def _live(code: types.CodeType, offset: int) -> frozenset[str]:
    """Return the local variables that are read on some path onward from an instruction."""
    everything = frozenset((*code.co_varnames, *code.co_cellvars, *code.co_freevars))
    cells = frozenset((*code.co_cellvars, *code.co_freevars))
    instructions = list(dis.get_instructions(code))
    places = {one.offset: place for place, one in enumerate(instructions)}
    effects = [_uses(one) for one in instructions]
    onward = _onward(code, instructions, places)
    if None in effects or onward is None or offset not in places:
        return everything
    live: list[frozenset[str]] = [frozenset()] * len(instructions)
    changed = True
    while changed:
        changed = False
        for place in reversed(range(len(instructions))):
            reads, writes = effects[place] or (frozenset(), frozenset())
            after = frozenset().union(*(live[to] for to in onward[place]))
            now = reads | (after - writes)
            if now != live[place]:
                live[place], changed = now, True
    return live[places[offset]] | cells


def _uses(one: dis.Instruction) -> tuple[frozenset[str], frozenset[str]] | None:
    """Return which local variables an instruction reads, and writes; None: it is not known."""
    if "FAST" not in one.opname or one.opname.startswith("CALL"):
        return frozenset(), frozenset()
    names = (one.argval,) if isinstance(one.argval, str) else one.argval
    nothing: frozenset[str] = frozenset()
    match one.opname.split("__")[0]:
        case "LOAD_FAST" | "LOAD_FAST_CHECK" | "LOAD_FAST_BORROW" | "DELETE_FAST":
            return frozenset(names), nothing
        case "LOAD_FAST_LOAD_FAST" | "LOAD_FAST_BORROW_LOAD_FAST_BORROW":
            return frozenset(names), nothing
        case "STORE_FAST" | "STORE_FAST_STORE_FAST":
            return nothing, frozenset(names)
        case "LOAD_FAST_AND_CLEAR":
            return frozenset(names), nothing
    return None


def _onward(
    code: types.CodeType, instructions: list[dis.Instruction], places: dict[int, int]
) -> list[list[int]] | None:
    """Return what may follow each instruction; an error may lead to its handler."""
    entries = getattr(dis.Bytecode(code), "exception_entries", None)
    if entries is None:
        return None
    onward: list[list[int]] = []
    for place, one in enumerate(instructions):
        follows = []
        if one.opcode in dis.hasjrel or one.opcode in dis.hasjabs:
            follows.append(places[one.argval])
        if one.opname not in _ENDS | _JUMPS_ALWAYS and place + 1 < len(instructions):
            follows.append(place + 1)
        follows += [places[e.target] for e in entries if e.start <= one.offset < e.end]
        onward.append(follows)
    return onward
