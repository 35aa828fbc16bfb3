"""Report of a trial: every expectation with what was seen, and the figures."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from operate.trial.journal import TrialJournal
from operate.trial.verdicts import Cell, Expectation, Figures, Verdict

_HEADS = {Verdict.FAILED: "Failed", Verdict.NOT_JUDGED: "Not judged", Verdict.MET: "Met"}


@dataclass(frozen=True)
class TrialReport:
    """Report of a trial, complete or not."""

    name: str
    started: str
    members: Sequence[str]
    regions: Sequence[str]
    expectations: Sequence[Expectation]
    figures: Sequence[Figures]
    steps: Mapping[str, Mapping[str, Any]]
    """When each step began and ended, and how often it began."""

    @property
    def ok(self) -> bool:
        """Whether no expectation failed, and some were met."""
        counts = self.counts
        return not counts[Verdict.FAILED] and counts[Verdict.MET] > 0

    @property
    def counts(self) -> Counter[Verdict]:
        """Number of expectations by verdict."""
        return Counter(one.verdict for one in self.expectations)

    @property
    def summary(self) -> str:
        """The counts in words."""
        return ", ".join(f"{self.counts[verdict]} {verdict}" for verdict in Verdict)

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"ok": self.ok, "counts": {one: self.counts[one] for one in Verdict}, **asdict(self)}

    def markdown(self) -> str:
        """Return it as Markdown."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield f"# Trial {self.name}"
        yield ""
        yield f"Started {self.started}, in {', '.join(self.regions)}: **{self.summary}**."
        for verdict, head in _HEADS.items():
            chosen = [one for one in self.expectations if one.verdict is verdict]
            if chosen:
                yield from ("", f"## {head}", "", "| expectation | expected | seen |")
                yield "| --- | --- | --- |"
                for one in chosen:
                    yield f"| `{one.name}` | {_cell(one.expected)} | {_cell(one.seen)} |"
        for figures in self.figures:
            yield from ("", f"## {figures.title}", "")
            yield _row(figures.columns)
            yield _row(["---"] * len(figures.columns))
            yield from map(_row, figures.rows)
            if figures.note:
                yield from ("", figures.note)
        yield from ("", "## Steps", "", "| step | began | ended | attempts |")
        yield "| --- | --- | --- | ---: |"
        for name, step in self.steps.items():
            times = (step.get("began"), step.get("ended"), step.get("attempts"))
            yield _row([name, *times])

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write both files into a folder; return their paths."""
        paths = self.paths(folder)
        paths[0].write_text(self.markdown(), encoding="utf-8")
        document = json.dumps(self.document(), indent=2, ensure_ascii=False)
        paths[1].write_text(document + "\n", encoding="utf-8")
        return paths

    def paths(self, folder: Path) -> tuple[Path, Path]:
        """Return the paths of both files in a folder."""
        return folder / f"{self.name}.md", folder / f"{self.name}.json"


def report_of(journal: TrialJournal) -> TrialReport:
    """Return the report of what a trial's journal has."""
    members = journal.plan().members
    results = [
        result for name in journal.document["steps"] if (result := journal.result(name)) is not None
    ]
    return TrialReport(
        journal.name,
        str(journal.document["started"]),
        [member.name for member in members],
        [member.region for member in members],
        [one for result in results for one in result.expectations],
        [one for result in results for one in result.figures],
        {
            name: {key: value for key, value in step.items() if key != "result"}
            for name, step in journal.document["steps"].items()
        },
    )


def _row(cells: Sequence[Cell]) -> str:
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(value: Cell) -> str:
    if value is None:
        return "not reported"
    text = f"{value:,}" if isinstance(value, int | float) else value
    return text.replace("|", "\\|").replace("\n", " ")
