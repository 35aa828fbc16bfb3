"""State of a trial in a folder, written before and after each step, so that a call continues it.

`journal.json` has the steps and what they found; `rings.yaml` is the ring's file, which `pause`
changes, and which `automate.py --file` takes as well.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from operate.atomic_file import replace_text
from operate.deployment.ring_file import read_rings
from operate.deployment.stack import RingStack
from operate.errors import InvalidRequestError
from operate.trial.plan import Load, TrialPlan
from operate.trial.verdicts import StepResult

VERSION = 1


class TrialJournal:
    """The journal of one trial. `document` is what the file has."""

    def __init__(self, folder: Path, document: dict[str, Any]) -> None:
        self.folder = folder
        self.document = document

    @classmethod
    def create(cls, folder: Path, plan: TrialPlan, backend: str | None = None) -> TrialJournal:
        """Write the files of a new trial, before anything is deployed."""
        folder.mkdir(parents=True, exist_ok=True)
        entry = {"name": plan.name, "settings": dict(plan.settings)}
        if backend:
            entry["backend"] = backend
        replace_text(folder / "rings.yaml", yaml.safe_dump({"rings": [entry]}, sort_keys=False))
        journal = cls(
            folder,
            {
                "version": VERSION,
                "name": plan.name,
                "started": datetime.now(UTC).isoformat(timespec="seconds"),
                "load": asdict(plan.load),
                "steps": {},
                "resources": [],
            },
        )
        journal.save()
        return journal

    @classmethod
    def find(cls, folder: Path) -> TrialJournal | None:
        """Return the journal of a folder's open trial. Raises `InvalidRequestError`."""
        path = folder / "journal.json"
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise InvalidRequestError(f"Cannot read {path}: {error}") from error
        if not isinstance(document, dict) or document.get("version") != VERSION:
            raise InvalidRequestError(
                f"{path} is not a trial's journal of this version. Finish that trial with the "
                "program that began it, or move the folder."
            )
        return cls(folder, document)

    @property
    def name(self) -> str:
        """The trial's name."""
        return str(self.document["name"])

    @property
    def load(self) -> Load:
        """How much is to be written."""
        given = dict(self.document["load"])
        return Load(**{**given, "sizes": tuple(given["sizes"])})

    @classmethod
    def open(cls, folder: Path) -> TrialJournal:
        """Return the journal in a folder. Raises `InvalidRequestError` if there is none."""
        journal = cls.find(folder)
        if journal is None:
            raise InvalidRequestError(f"No trial is open in {folder}.")
        return journal

    def plan(self) -> TrialPlan:
        """Return the plan, with the settings as they are in the ring's file now."""
        settings = self.ring().settings().model_dump(mode="json", exclude_unset=True)
        return TrialPlan(self.name, settings, self.load)

    def ring(self) -> RingStack:
        """Return the ring, with its settings as they are in the file now."""
        (ring,) = read_rings(self.folder / "rings.yaml")
        return ring

    def begin(self, step: str) -> int:
        """Note that a step begins; return how often it has begun by now."""
        entry = self.document["steps"].setdefault(step, {"attempts": 0})
        entry["attempts"] += 1
        entry.pop("result", None)
        entry["began"] = datetime.now(UTC).isoformat(timespec="seconds")
        self.save()
        return int(entry["attempts"])

    def end(self, step: str, result: StepResult) -> None:
        """Note what a step has found."""
        entry = self.document["steps"][step]
        entry["ended"] = datetime.now(UTC).isoformat(timespec="seconds")
        entry["result"] = result.document()
        self.save()

    def result(self, step: str) -> StepResult | None:
        """Return what a step has found; None: it has not ended."""
        found = self.document["steps"].get(step, {}).get("result")
        return StepResult.read(found) if found else None

    def has_begun(self, step: str) -> bool:
        """Return whether a step has begun."""
        return step in self.document["steps"]

    def notes(self, step: str) -> Mapping[str, Any]:
        """Return the values that a step left for later ones."""
        found = self.result(step)
        return found.notes or {} if found else {}

    def add_resources(self, resources: list[dict[str, str]]) -> None:
        """Note resources, to look for them when the ring has been destroyed."""
        known = self.document["resources"]
        known += [one for one in resources if one not in known]
        self.save()

    def save(self) -> None:
        """Replace the file's text atomically."""
        replace_text(self.folder / "journal.json", json.dumps(self.document, indent=1))

    def close(self) -> None:
        """Delete the files of a trial that left nothing. Reports stay."""
        for name in ("journal.json", "rings.yaml", "lock"):
            (self.folder / name).unlink(missing_ok=True)


@contextmanager
def only_trial(folder: Path) -> Iterator[None]:
    """Hold the folder's lock. Raises `InvalidRequestError` if another process has it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InvalidRequestError(
                f"A trial is running in {folder}. Wait for it, or pass another --state."
            ) from error
        yield
