"""An expectation of a trial, what was seen of it, and tables of figures. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

Cell = str | int | float | None


class Verdict(StrEnum):
    """What became of an expectation."""

    MET = "met"
    FAILED = "failed"
    NOT_JUDGED = "not judged"
    """Nothing was there to judge by: the reason is in `seen`. It is never taken for `MET`."""


@dataclass(frozen=True)
class Expectation:
    """An expectation, in words, and what was seen."""

    name: str
    expected: str
    seen: str
    verdict: Verdict

    @classmethod
    def of(cls, name: str, expected: str, seen: str, met: bool) -> Expectation:
        """Return an expectation that was judged."""
        return cls(name, expected, seen, Verdict.MET if met else Verdict.FAILED)

    @classmethod
    def not_judged(cls, name: str, expected: str, why: str) -> Expectation:
        """Return an expectation that could not be judged."""
        return cls(name, expected, why, Verdict.NOT_JUDGED)

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Expectation:
        """Read it from its JSON document."""
        name, expected, seen = (str(document[key]) for key in ("name", "expected", "seen"))
        return cls(name, expected, seen, Verdict(document["verdict"]))


@dataclass(frozen=True)
class Figures:
    """A table of figures, with a note on where they are from."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""


@dataclass(frozen=True)
class StepResult:
    """What a step has found."""

    expectations: Sequence[Expectation] = ()
    figures: Sequence[Figures] = ()
    notes: Mapping[str, Any] | None = None
    """Values that later steps need, as JSON."""

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "expectations": [asdict(one) for one in self.expectations],
            "figures": [asdict(one) for one in self.figures],
            "notes": dict(self.notes or {}),
        }

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> StepResult:
        """Read it from its JSON document."""
        return cls(
            tuple(Expectation.read(one) for one in document["expectations"]),
            tuple(Figures(**one) for one in document["figures"]),
            document["notes"],
        )
