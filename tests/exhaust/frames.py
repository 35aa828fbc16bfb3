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
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache, lru_cache, partial
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


class Knowledge:
    """What coroutines and other values know, each as one thing to compare.

    What is made of other things is a number: that of the first that was made of the same. So two
    that know the same are one, however large they are, and nothing is kept twice.
    """

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}

    def of(self, value: Any) -> tuple[Any, list[str | Version]]:
        """Return what a value knows, and the texts and versions in it.

        Raises `UnknownValueError`.
        """
        look = _Look(self._numbers)
        return look.at(value), look.named


class _Look:
    """One look at a value, in which what is there several times is looked at once."""

    def __init__(self, numbers: dict[Any, int]) -> None:
        self.named: list[str | Version] = []
        self._numbers = numbers
        self._seen: dict[int, tuple[Any, int]] = {}

    def at(self, value: Any) -> Any:
        """Return what a value knows: itself and its type, or a number if it is made of others."""
        kind: Any = type(value)
        if kind is str:
            self.named.append(value)
            return value
        read = _reader(kind)
        if read is None:
            if kind is Version:
                self.named.append(value)
                kind = bytes  # In an item it is one, or the other.
            return (kind, value)
        found = self._seen.get(id(value))
        if found is None:
            parts = read(self, value)
            number = self._numbers.setdefault(parts, len(self._numbers))
            # The value is kept as well, or another could come to have its id.
            found = self._seen[id(value)] = (value, number)
        return found[1]

    def all(self, values: Iterable[Any]) -> tuple[Any, ...]:
        """Return what each of some values knows."""
        return tuple(map(self.at, values))

    def frame(self, owner: Any, frame: types.FrameType | None) -> Any:
        """Return what a coroutine or generator knows."""
        if frame is None:
            return ("ended", type(owner).__name__)
        snapshot = frame.f_locals
        local = dict(snapshot)  # A frame's own is slow to read, from Python 3.13 on.
        live = _live(frame.f_code, frame.f_lasti)
        known = tuple((name, self.at(local[name])) for name in sorted(local) if name in live)
        waiting = self.all(_stack(owner, local, snapshot))
        return (owner.__qualname__, frame.f_lasti, known, waiting)


_Reader = Callable[[_Look, Any], Any]

_READERS: list[tuple[Any, _Reader]] = [
    (_NEVER_READ, lambda _, it: type(it).__name__),
    (dict, lambda look, it: ("dict", *((name, look.at(it[name])) for name in sorted(it)))),
    (list | tuple, lambda look, it: (type(it).__name__, *look.all(it))),
    (BatchReport, lambda _, it: _in_report(it)),
    (types.CoroutineType, lambda look, it: look.frame(it, it.cr_frame)),
    (types.GeneratorType, lambda look, it: look.frame(it, it.gi_frame)),
    (types.FunctionType, lambda look, it: (it.__qualname__, look.all(it.__closure__ or ()))),
    (types.CellType, lambda look, it: ("cell", look.all(_content(it)))),
    (partial, lambda look, it: ("partial", look.all((it.func, it.args, it.keywords)))),
    (BaseException, lambda _, it: type(it).__name__),
    (types.BuiltinFunctionType, lambda _, it: it.__qualname__),
    (range, lambda _, it: repr(it)),
]
"""How to look at values, by their types."""


@cache
def _reader(kind: type) -> _Reader | None:
    """Return how to look at a value of a type; None: it is what it knows."""
    if issubclass(kind, _PLAIN):
        return None
    for kinds, read in _READERS:
        if issubclass(kind, kinds):
            return read
    if hasattr(kind, "knows"):
        return lambda look, it: ("knows", look.at(it.knows()))
    if is_dataclass(kind):
        names = [field.name for field in fields(kind)]
        return lambda look, it: (kind.__name__, *(look.at(getattr(it, name)) for name in names))
    if kind.__name__.endswith("_iterator"):
        return lambda look, it: (kind.__name__, *look.all(it.__reduce__()[1:]))
    raise UnknownValueError(kind.__name__)


def _in_report(report: BatchReport) -> Any:
    """Return what of a batch's report decides anything: which records come again."""
    failures = tuple((one.record, type(one.error).__name__) for one in report.failures)
    return ("report", tuple(report.unprocessed), failures)


def _content(cell: types.CellType) -> list[Any]:
    """Return what is in a cell, if anything is."""
    try:
        return [cell.cell_contents]
    except ValueError:
        return []


def _stack(owner: Any, local: dict[str, Any], snapshot: Any) -> list[Any]:
    """Return what waits on a frame's stack, the coroutine that it awaits included."""
    named = [*map(id, local.values())]
    waiting = []
    for value in gc.get_referents(owner):
        if id(value) in named:
            named.remove(id(value))
        elif value is not snapshot and not isinstance(value, types.FrameType | str):
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
