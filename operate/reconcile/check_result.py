"""Result of a check: the counts, and the keys in which members differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from operate.reconcile.difference_kinds import DifferenceKind, KeyFingerprints
from operate.reconcile.fingerprints import fingerprint_digest, fingerprint_version
from operate.reconcile.journal import Journal
from operate.reconcile.members import MemberConnection

EQUAL, CHANGING = "equal", "changing"
"""Verdicts on a suspect besides `DifferenceKind`. A `CHANGING` key changed at every recheck."""


@dataclass(frozen=True)
class CheckResult:
    """Number of keys compared, and of keys per verdict (`DifferenceKind`, `EQUAL`, `CHANGING`)."""

    compared: int
    found: Mapping[str, int]

    @property
    def differing(self) -> int:
        """Number of keys that differ."""
        return sum(self.found.get(kind, 0) for kind in DifferenceKind)

    @property
    def changing(self) -> int:
        """Number of keys without a verdict, since they changed at every recheck."""
        return self.found.get(CHANGING, 0)


class Difference(NamedTuple):
    """A key (as a text) in which members differ, and the state of each member, in ring order."""

    number: int
    key: str
    kind: DifferenceKind
    states: list[KeyFingerprints]

    def document(self, members: Sequence[MemberConnection]) -> dict[str, Any]:
        """Return the JSON document for scripts."""
        names = (member.name for member in members)
        return {
            "key": dict(zip(members[0].keys, json.loads(self.key), strict=True)),
            "kind": self.kind,
            "members": {
                name: _state_document(state) for name, state in zip(names, self.states, strict=True)
            },
        }


def findings(journal: Journal) -> Iterator[Difference]:
    """Yield the keys in which members differ, by kind, with the states of the last read."""
    for kind in DifferenceKind:
        for chunk in journal.suspects(kind):
            for number, text, states in chunk:
                yield Difference(number, text, kind, states or [])


def _state_document(state: KeyFingerprints) -> dict[str, str | None]:
    item = state.item
    return {
        "version": _version_text(item),
        "digest": item and fingerprint_digest(item),
        "tombstone": _version_text(state.tombstone),
    }


def _version_text(mark: str | None) -> str | None:
    """Return the text of the version in a fingerprint; None: there is none."""
    version = None if mark is None else fingerprint_version(mark)
    return None if version is None else str(version)
