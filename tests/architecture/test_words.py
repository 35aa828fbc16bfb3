"""Words that have a better one in the trade stay out of the code."""

import re
from pathlib import Path

import pytest

from ring.project import PROJECT_ROOT
from tests.architecture.graph import ROOMS

# As names or in prose: log, print or report for tell; options for wish; copy, apply or process for
# carry and bring; repair for mend; again for anew; quarantined for aside; receive for hear.
WORDS = (
    *("told", "tell", "tells", "telling", "wish", "wished", "aside", "anew", "mend", "mended"),
    *("bring", "brings", "brought", "carry", "carries", "carried", "hear", "heard", "whoever"),
    *("beneath", "way", "ways"),
)
# Words of a name stand between underscores.
_OLD = re.compile(r"(?<![a-zA-Z0-9-])(?:" + "|".join(WORDS) + r")(?![a-zA-Z0-9-])")
# Python's own name.
_TO_STAY = re.compile(r"\.tell\(\)")


def old_words(text: str) -> list[str]:
    """Return the lines that have one of the words."""
    return [line for line in text.splitlines() if _OLD.search(_TO_STAY.sub("", line))]


def lines_with_old_words(place: Path) -> set[str]:
    """Return the lines of a file, or of all files in a folder, that have one of the words."""
    return {
        f"{file.relative_to(PROJECT_ROOT)}: {line.strip()}"
        for file in (place.rglob("*.py") if place.is_dir() else [place])
        if file != Path(__file__)  # which lists them
        for line in old_words(file.read_text())
    }


def test_words_are_found_as_names_and_in_prose_and_not_in_others() -> None:
    assert old_words("told = 1\nwhat it tells\na_way_out\nuntold\nalways\nfile.tell()") == [
        "told = 1",
        "what it tells",
        "a_way_out",
    ]


@pytest.mark.parametrize("room", [*ROOMS, "benchmarks", "tests"])
def test_the_trades_words_are_used(room: str) -> None:
    assert lines_with_old_words(PROJECT_ROOT / room) == set()
